"""The plan: the small, typed, serialisable program that a worker interprets.

It is stored with every deployed version and read again for as long as a saga of that version
runs, so it is a wire form: fields are added with defaults, never removed or renamed. Durations
are in seconds.
"""

from orchestrator.compile.plan.instructions import (
    ArmPlan,
    AwaitPlan,
    BranchPlan,
    CallPlan,
    CasePlan,
    EmitPlan,
    FailPlan,
    ForPlan,
    HandlerPlan,
    IfPlan,
    Instruction,
    LetPlan,
    MatchPlan,
    ParallelPlan,
    RacePlan,
    ReturnPlan,
    SetPlan,
    SleepPlan,
    StepPlan,
    TryPlan,
    WhilePlan,
    YieldPlan,
)
from orchestrator.compile.plan.plan import Plan
from orchestrator.compile.plan.policies import BreakerPlan, PolicyPlan, RatePlan
from orchestrator.compile.plan.sagas import (
    ParameterPlan,
    QueryPlan,
    SagaPlan,
    SchedulePlan,
    SignalPlan,
    StartPlan,
    UpdatePlan,
)
