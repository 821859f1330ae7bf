"""Text: stories and their plans, drawn prompts, and the token stream that the planner learns."""
