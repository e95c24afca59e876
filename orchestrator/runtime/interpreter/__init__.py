"""Interprets a saga's plan. Deterministic: every effect goes through `Effects`.

It runs on any asyncio loop, Temporal's or a test's, and takes nothing from it but tasks.
"""

from orchestrator.runtime.interpreter.interpreter import Interpreter

__all__ = ["Interpreter"]
