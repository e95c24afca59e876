"""Runs sagas: the interpreter, its Temporal workflow and activities, the consumers, the worker."""
