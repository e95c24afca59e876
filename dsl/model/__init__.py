"""The typed model: what a checked flow means, with every name resolved.

Names are qualified: a record is `module.Name`, a message `module.service.Name`. The data and
contract models are part of the stored plan too, so their fields are only ever added, with
defaults.
"""

from dsl.model.contracts import (
    CommandModel,
    Compatibility,
    Delivery,
    EventModel,
    Idempotency,
    ServiceModel,
    TopicModel,
    WireFormat,
    wire_type,
)
from dsl.model.data import EnumModel, FieldModel, ParameterModel, RecordModel
from dsl.model.part import Part, Place, contents, walk
from dsl.model.policies import Breaker, Exhausted, Order, Overflow, PolicyModel, RateLimit, Retry
from dsl.model.program import ModuleModel, Program
from dsl.model.sagas import (
    ActivityModel,
    QueryModel,
    SagaModel,
    ScheduleModel,
    SignalModel,
    StartModel,
    UpdateModel,
)
from dsl.model.scenarios import (
    AnswerModel,
    ArrivalModel,
    CancelModel,
    DecisionModel,
    Expectation,
    FailureExpectation,
    Given,
    MessageExpectation,
    ParkedExpectation,
    PatternModel,
    ResultExpectation,
    RunModel,
    ScenarioModel,
    WithinExpectation,
)
from dsl.model.statements import (
    ArmModel,
    AwaitModel,
    BranchModel,
    Callee,
    CallModel,
    CaseModel,
    EmitModel,
    FailModel,
    ForModel,
    HandlerModel,
    IfModel,
    LetModel,
    MatchModel,
    ParallelModel,
    RaceModel,
    ReturnModel,
    SetModel,
    SleepModel,
    Statement,
    StepModel,
    TryModel,
    WhileModel,
    YieldModel,
)
from dsl.model.states import AggregateModel, AssignModel, ProjectionModel, ReactionModel
