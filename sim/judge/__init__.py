"""Numbers against limits: verdicts, bottlenecks, relief and comparisons, each with how sure we are."""
