"""A fast random search for lost values: stories of one person, played on the planner alone."""
