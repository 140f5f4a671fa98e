// The interfaces of "Layer 7 - Learning & Optimization Engine, Complete Specification v1.0"
// (16 December 2025), sections 3.1 to 9.1, verbatim and in their order. Its Python sketches are not here.
// tests/contract/test_specification.py reads them and holds the models to them.

// 3.1
interface ApplicationEvent {
  event_type: "APPLICATION_CREATED" | "APPLICATION_SUBMITTED" | "STATUS_CHANGED";
  user_id: string;
  application_id: string;
  job_id: string;
  resume_version_id: string;
  
  context: {
    strategy_mode: StrategyMode;
    fit_score: number;
    category: "reach" | "target" | "safety";
    job_characteristics: {
      title: string;
      company: string;
      seniority: string;
      location: string;
      industry?: string;
    };
    resume_score: number;
    tailoring_applied: boolean;
  };
  
  outcome?: {
    status: "interview" | "offer" | "rejected" | "ghosted";
    days_to_response: number;
    response_type?: string;
  };
  
  timestamp: string;
}

// 3.1
interface StrategyEvent {
  event_type: "MODE_CHANGED" | "TARGET_ADJUSTED" | "PLAN_GENERATED";
  user_id: string;
  
  from_mode?: StrategyMode;
  to_mode: StrategyMode;
  reason: string;
  
  metrics: {
    resume_score: number;
    total_applications: number;
    interview_rate: number;
    applications_last_7_days: number;
  };
  
  timestamp: string;
}

// 3.1
interface ResumeEvent {
  event_type: "RESUME_REWRITTEN" | "SCORE_CHANGED";
  user_id: string;
  resume_version_id: string;
  
  rewrite_type?: "bullet" | "summary" | "section";
  before_score: number;
  after_score: number;
  score_delta: number;
  
  gaps_addressed?: string[];
  user_accepted: boolean;
  
  timestamp: string;
}

// 3.1
interface FeedbackEvent {
  event_type: "SUGGESTION_ACCEPTED" | "SUGGESTION_EDITED" | "SUGGESTION_REJECTED";
  user_id: string;
  
  suggestion_type: "rewrite" | "job" | "strategy" | "plan";
  suggested_content: any;
  final_content?: any;
  rejection_reason?: string;
  
  timestamp: string;
}

// 4.1
interface UserPerformance {
  user_id: string;
  period: { start: string; end: string };
  
  // Application metrics
  total_applications: number;
  applications_by_category: {
    reach: number;
    target: number;
    safety: number;
  };
  
  // Outcome metrics
  interview_requests: number;
  interview_rate: number;          // interviews / applications
  offers: number;
  offer_rate: number;              // offers / interviews
  rejections: number;
  ghosted: number;
  
  // Response timing
  avg_days_to_response: number;
  fastest_response_days: number;
  
  // Strategy effectiveness
  strategy_distribution: Record<StrategyMode, number>;
  interview_rate_by_mode: Record<StrategyMode, number>;
  
  // Resume evolution
  resume_score_start: number;
  resume_score_current: number;
  score_improvement: number;
  rewrites_accepted: number;
  rewrites_rejected: number;
}

// 4.1
interface UserPatterns {
  user_id: string;
  
  // What works for this user
  best_performing_roles: Array<{
    title: string;
    interview_rate: number;
    sample_size: number;
  }>;
  
  best_locations: Array<{
    location: string;
    interview_rate: number;
  }>;
  
  best_companies: Array<{
    type: string;              // "Series A startup", "Big Tech", etc.
    interview_rate: number;
  }>;
  
  best_seniority: string;      // Which level gets best response
  
  optimal_application_timing: {
    best_day_of_week: string;
    best_time_of_day: string;
    confidence: number;
  };
  
  // Resume performance
  best_resume_version: string;
  best_performing_sections: string[];
  
  // User preferences (learned)
  typical_edit_patterns: string[];
  rejection_patterns: string[];
  acceptance_patterns: string[];
}

// 4.2
interface UserSegment {
  segment_id: string;
  criteria: {
    seniority?: SeniorityLevel;
    target_roles?: string[];
    years_experience_range?: [number, number];
    industries?: string[];
    locations?: string[];
  };
  
  user_count: number;
  
  // Aggregate performance
  avg_interview_rate: number;
  avg_applications_to_interview: number;
  avg_time_to_offer_weeks: number;
  
  // Best practices for segment
  successful_strategies: Array<{
    strategy: string;
    success_rate: number;
    sample_size: number;
  }>;
  
  common_pitfalls: Array<{
    pattern: string;
    negative_impact: string;
    frequency: number;
  }>;
}

// 4.3
interface MarketInsights {
  period: { start: string; end: string };
  
  // Hiring trends
  most_active_industries: Array<{
    industry: string;
    job_postings: number;
    avg_response_rate: number;
  }>;
  
  hottest_skills: Array<{
    skill: string;
    demand_score: number;
    avg_salary: number;
  }>;
  
  hottest_locations: Array<{
    location: string;
    openings: number;
    avg_response_rate: number;
  }>;
  
  // Seasonal patterns
  best_months_to_apply: string[];
  worst_months_to_apply: string[];
  
  // Response patterns
  avg_days_to_first_response: number;
  ghosting_rate: number;
  
  // Seniority demand
  demand_by_level: Record<SeniorityLevel, {
    openings: number;
    competition: number;
    avg_response_rate: number;
  }>;
}

// 5.1
interface OptimizationRecommendation {
  component: "strategy_engine" | "orchestrator" | "job_discovery";
  parameter: string;
  current_value: any;
  recommended_value: any;
  
  reasoning: string;
  evidence: {
    metric_improved: string;
    improvement_amount: number;
    sample_size: number;
    confidence_interval: [number, number];
    p_value: number;
  };
  
  impact_estimate: {
    users_affected: number;
    expected_benefit: string;
    risk_level: "low" | "medium" | "high";
  };
  
  recommendation: "auto_apply" | "a_b_test" | "manual_review";
}

// 5.2
interface ScoreCalibrationRecommendation {
  issue: "scores_too_optimistic" | "scores_too_pessimistic" | "scores_not_discriminative";
  
  suggested_adjustment: {
    component_weights: Record<string, number>;
    threshold_adjustments: Record<string, number>;
  };
  
  expected_improvement: {
    current_calibration_error: number;
    expected_calibration_error: number;
  };
}

// 6.1
interface Experiment {
  experiment_id: string;
  name: string;
  hypothesis: string;
  
  component: "strategy_engine" | "orchestrator" | "job_discovery";
  parameter: string;
  
  variants: Array<{
    variant_id: string;
    name: string;
    value: any;
    allocation: number;        // 0-1 (percentage of users)
  }>;
  
  success_metric: string;
  minimum_sample_size: number;
  maximum_duration_days: number;
  
  status: "draft" | "running" | "paused" | "completed";
  start_date?: string;
  end_date?: string;
  
  results?: ExperimentResults;
}

// 7.1
interface PersonalizedConfig {
  user_id: string;
  
  // Learned preferences
  preferred_company_sizes: string[];
  preferred_locations: string[];
  work_arrangement_preference: string;
  
  // Optimized thresholds (user-specific)
  min_fit_score_to_apply: number;      // Learned from acceptance rate
  optimal_applications_per_week: number; // Learned from completion rate
  follow_up_timing_days: number;        // Learned from response patterns
  
  // Learned sensitivities
  edit_frequency: "low" | "medium" | "high";
  suggestion_acceptance_rate: number;
  rejection_patterns: string[];
  
  // Communication style
  preferred_detail_level: "brief" | "standard" | "detailed";
  coach_tone_preference: "professional" | "friendly" | "motivational";
  
  last_updated: string;
}

// 8.1
interface WeeklyInsights {
  user_id: string;
  week_start: string;
  
  // Performance summary
  highlights: string[];          // e.g., "Interview rate up 50% this week!"
  concerns: string[];            // e.g., "No responses from FAANG companies"
  
  // Learned patterns
  what_worked: Array<{
    pattern: string;
    metric: string;
    improvement: number;
  }>;
  
  what_didnt_work: Array<{
    pattern: string;
    metric: string;
    decline: number;
  }>;
  
  // Recommendations
  try_this_week: string[];
  stop_doing: string[];
  
  // Benchmarks
  vs_similar_users: {
    your_interview_rate: number;
    segment_avg: number;
    percentile: number;
  };
}

// 9.1
interface StrategyEngineConfig {
  // Thresholds (learned by Layer 7)
  improve_resume_threshold: number;
  rethink_targets_threshold: number;
  min_days_in_mode: number;
  
  // Weights (learned by Layer 7)
  gap_weights: {
    skills: number;
    tools: number;
    experience: number;
    seniority: number;
    industry: number;
  };
  
  // Personalized (per user)
  user_overrides?: Record<string, any>;
  
  // Metadata
  last_updated: string;
  optimized_by: "layer_7" | "manual";
  confidence: number;
}
