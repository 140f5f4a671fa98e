"""The cells of the release: public lists, fixed before anybody's data are seen, and how they are read.

A text that is on no list is ``other``, or is dropped; no name is ever learned from a log.
"""

from collections.abc import Mapping
from types import MappingProxyType

from layer7.contract.vocabulary import SeniorityLevel

OTHER = "other"

INDUSTRIES: Mapping[str, str] = MappingProxyType(
    {
        "Software": r"software|saas|internet|information tech|it services|cyber|\bit\b",
        "Finance": r"financ|bank|invest|fintech|accounting|capital",
        "Insurance": r"insur",
        "Healthcare": r"health|hospital|medic(al|ine)|care\b|wellness",
        "Pharmaceuticals and biotechnology": r"pharma|biotech|life science",
        "Retail": r"retail|e-?commerce|grocer|supermarket",
        "Consumer goods": r"consumer|food|beverage|apparel|fashion|cosmetic",
        "Education": r"educat|school|universit|e-?learning|training",
        "Energy": r"energy|oil|gas|utilit|solar|wind|power",
        "Logistics": r"logistic|transport|shipping|supply chain|freight|aviation|airline",
        "Automotive": r"automo|vehicle|mobility",
        "Media": r"media|entertain|publish|broadcast|film|music|news",
        "Gaming": r"gam(ing|es)",
        "Manufacturing": r"manufactur|industrial|machine|chemical|electronic|semiconductor",
        "Construction": r"construct|engineering services|architect",
        "Real estate": r"real estate|property",
        "Public Sector": r"public sector|government|civic|administration|defen[cs]e|military",
        "Nonprofit": r"non-?profit|charit|\bngo\b|social",
        "Consulting": r"consult|professional services|advisory",
        "Legal": r"legal|law",
        "Marketing and advertising": r"market|advertis|public relations|\bpr\b",
        "Recruiting and staffing": r"recruit|staffing|human resources",
        "Telecommunications": r"telecom|communicat",
        "Travel and hospitality": r"travel|tourism|hotel|hospitality|restaurant",
        "Agriculture": r"agri|farm|forest",
    }
)
"""Industries, each with the words that it is read from; the first that fits counts."""

PLACES: Mapping[str, str] = MappingProxyType(
    {
        "Remote": r"remote|anywhere|work from home",
        **{
            f"{city}, {country}": city.lower()
            for country, cities in (
                (
                    "US",
                    "New York|Boston|Chicago|Austin|Dallas|Denver|Seattle|San Francisco|Los Angeles|Miami",
                ),
                ("CA", "Toronto|Vancouver|Montreal"),
                ("GB", "London|Manchester|Edinburgh"),
                ("IE", "Dublin"),
                ("DE", "Berlin|Munich|Hamburg|Frankfurt|Cologne"),
                ("AT", "Vienna"),
                ("CH", "Zurich"),
                ("FR", "Paris"),
                ("ES", "Madrid|Barcelona"),
                ("PT", "Lisbon"),
                ("IT", "Milan"),
                ("NL", "Amsterdam"),
                ("SE", "Stockholm"),
                ("DK", "Copenhagen"),
                ("PL", "Warsaw"),
                ("IN", "Bengaluru|Mumbai|Hyderabad"),
                ("SG", "Singapore"),
                ("JP", "Tokyo"),
                ("AU", "Sydney|Melbourne"),
                ("BR", "São Paulo"),
            )
            for city in cities.split("|")
        },
    }
)
"""Places, never finer than a large city."""

FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "backend-engineering": r"back ?end",
        "frontend-engineering": r"front ?end",
        "full-stack-engineering": r"full ?stack",
        "mobile-engineering": r"\b(ios|android|mobile)\b",
        "data-engineering": r"data (engineer|platform|architect)|etl|analytics engineer",
        "data-science": r"data scien|machine learning|\bml\b|research scien|statistic",
        "data-analysis": r"data analy|business intelligence|\bbi\b|business analy|analytics",
        "devops": r"dev ?ops|site reliab|\bsre\b|platform engineer|cloud|infrastructure",
        "security": r"secur",
        "quality-assurance": r"\bqa\b|quality|test",
        "embedded-engineering": r"embedded|firmware|hardware|electric",
        "engineering-management": r"engineering manager|head of engineering|\bcto\b",
        "software-engineering": r"software|developer|programmer|swe\b",
        "product-design": r"design|\bux\b|\bui\b",
        "product-management": r"product (manager|owner|lead)",
        "project-management": r"project|program manager|scrum|delivery manager",
        "it-support": r"support engineer|help ?desk|system admin|it support|technician",
        "sales": r"sales|account exec|business development",
        "customer-success": r"customer|client|support",
        "marketing": r"market|growth|brand|content|seo",
        "finance": r"financ|account|audit|controller|tax",
        "human-resources": r"human resources|\bhr\b|recruit|talent|people",
        "operations": r"operation|logistic|supply|procurement|warehouse",
        "legal": r"legal|lawyer|counsel|compliance|paralegal",
        "consulting": r"consult",
        "healthcare": r"nurse|physician|medical|clinical|pharmac|therap|care",
        "education": r"teach|lectur|tutor|instruct|education",
        "science": r"scien|research|laborator|chemist|biolog",
        "mechanical-engineering": r"mechanic|manufactur|process engineer|civil|construction",
        "administration": r"assist|administrat|office|secretar|clerk",
    }
)
"""Role families, read from a role as :func:`layer7.analytics.segments.membership.role_of` gives it."""

SKILLS: tuple[str, ...] = (
    "Python", "Java", "JavaScript", "TypeScript", "C++", "C#", "Go", "Rust", "Ruby", "PHP", "Kotlin", "Swift",
    "SQL", "NoSQL", "PostgreSQL", "Spark", "Kafka", "Airflow", "dbt", "Snowflake", "React", "Angular", "Vue",
    "Node.js", "CSS", "REST", "GraphQL", "Docker", "Kubernetes", "Terraform", "AWS", "Azure", "Google Cloud",
    "Linux", "CI", "Git", "Monitoring", "Testing", "Test Automation", "Selenium", "Machine Learning",
    "Deep Learning", "Statistics", "Experiments", "Excel", "Power BI", "Tableau", "R", "SAP", "Salesforce",
    "Figma", "Prototyping", "User Research", "Accessibility", "Design Systems", "Scrum", "Project Management",
    "Communication", "English", "German", "Sales", "Accounting",
)  # fmt: skip
"""Skills, read by their name whatever its capitals; others are dropped."""

LEVELS: tuple[str, ...] = tuple(str(level) for level in SeniorityLevel)
SEGMENTS: tuple[str, ...] = tuple(f"{level}_{family}" for level in LEVELS for family in FAMILIES)
"""Segments of people: level and role family."""
