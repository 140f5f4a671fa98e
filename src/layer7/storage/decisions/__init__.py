"""What was decided and tried: settings, recommendations, experiments, ramps, releases, what is served."""
