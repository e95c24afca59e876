"""What a saga may cost: time, history events, messages."""
