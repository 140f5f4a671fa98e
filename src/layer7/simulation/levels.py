"""The names in the simulated market; an array of small integers points into each tuple."""

ROLES = (
    "Backend Engineer",
    "Frontend Engineer",
    "Full Stack Engineer",
    "Data Engineer",
    "Data Scientist",
    "DevOps Engineer",
    "QA Engineer",
    "Product Designer",
)
ROLE_SKILLS = (
    ("Python", "PostgreSQL", "REST", "Docker", "Kafka"),
    ("TypeScript", "React", "CSS", "Accessibility", "Testing"),
    ("TypeScript", "Node.js", "React", "SQL", "Docker"),
    ("Python", "SQL", "Spark", "Airflow", "dbt"),
    ("Python", "Statistics", "SQL", "Machine Learning", "Experiments"),
    ("Linux", "Kubernetes", "Terraform", "AWS", "Monitoring"),
    ("Test Automation", "Python", "Selenium", "CI", "SQL"),
    ("Figma", "Prototyping", "User Research", "Accessibility", "Design Systems"),
)
SENIORITIES = ("entry", "mid", "senior", "lead")
TITLE_PREFIXES = ("Junior ", "", "Senior ", "Lead ")
INDUSTRIES = (
    "Software",
    "Finance",
    "Healthcare",
    "Retail",
    "Education",
    "Energy",
    "Logistics",
    "Media",
    "Manufacturing",
    "Public Sector",
)
COMPANY_TYPES = ("early_startup", "growth_startup", "mid_size", "enterprise", "agency")
COMPANY_SIZES = ("1-50", "51-200", "201-1000", "1001-5000", "5001+")
VENDORS = ("Northwind ATS", "Fern ATS", "Quill ATS", "Harbor ATS", "in-house")
REGIONS = (
    "New York, US",
    "Austin, US",
    "Denver, US",
    "San Francisco, US",
    "Toronto, CA",
    "London, GB",
    "Berlin, DE",
    "Madrid, ES",
    "Bengaluru, IN",
    "Sydney, AU",
)
TIMEZONES = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Toronto",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Madrid",
    "Asia/Kolkata",
    "Australia/Sydney",
)
LOCATIONS = (*REGIONS, "Remote")
CHANNELS = ("easy_apply", "job_board", "company_page", "referral")
STRATEGY_MODES = ("IMPROVE_RESUME_FIRST", "APPLY_MODE", "RETHINK_TARGETS")
POLICIES = ("volume", "targeted", "referral_first")
RESUME_PARTS = ("experience", "format", "impact", "keywords")
CATEGORIES = ("reach", "target", "safety")
PATTERN_DIMENSIONS = ("company_type", "industry", "company_size", "location")
STAGES = ("none", "phone_screen", "onsite", "final", "offer")
ENDS = ("silent", "rejected", "interviewed_then_silent", "interviewed_then_rejected", "declined", "accepted")
SUGGESTION_TYPES = ("rewrite", "job", "strategy", "plan")
DECISIONS = ("ACCEPTED", "EDITED", "REJECTED")
REWRITE_TYPES = ("bullet", "summary", "section")
GAPS = ("skills", "tools", "experience", "seniority", "industry")
DISLIKES = ("on-site", "travel", "agency", "on-call", "contract")

FIRST_WORDS = (
    "Alder", "Amber", "Aspen", "Beacon", "Birch", "Bright", "Cedar", "Cobalt", "Copper", "Coral",
    "Delta", "Elm", "Ember", "Falcon", "Fern", "Flint", "Garnet", "Granite", "Harbor", "Hazel",
    "Heron", "Indigo", "Iris", "Juniper", "Kestrel", "Lark", "Linden", "Maple", "Meadow", "Nimbus",
    "Oak", "Onyx", "Opal", "Orchard", "Pebble", "Quartz", "Raven", "Sable", "Tidal", "Willow",
)  # fmt: skip
INDUSTRY_WORDS = (
    ("Software", "Labs"),
    ("Capital", "Bank"),
    ("Health", "Care"),
    ("Retail", "Foods"),
    ("Learning", "Academy"),
    ("Energy", "Power"),
    ("Logistics", "Mobility"),
    ("Media", "Studio"),
    ("Works", "Robotics"),
    ("Authority", "Institute"),
)
