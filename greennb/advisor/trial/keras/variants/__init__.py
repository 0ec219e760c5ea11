"""What can be tried with Keras and TensorFlow.

Early stopping (GNB406) is not among them: it changes how many steps there are, not what one costs, and what is saved
is known from the epochs that were for nothing.
"""

from __future__ import annotations

from greennb.advisor.trial.keras.seen import KerasVariant
from greennb.advisor.trial.keras.variants.cache import Cache
from greennb.advisor.trial.keras.variants.eager_off import EagerOff
from greennb.advisor.trial.keras.variants.mixed_precision import MixedPrecision
from greennb.advisor.trial.keras.variants.predict import CallModel
from greennb.advisor.trial.keras.variants.prefetch import Prefetch
from greennb.advisor.trial.keras.variants.steps_per_execution import StepsPerExecution
from greennb.advisor.trial.keras.variants.tf_function import TfFunction

VARIANTS: tuple[KerasVariant, ...] = (
    TfFunction(),
    EagerOff(),
    StepsPerExecution(),
    Cache(),
    Prefetch(),
    CallModel(),
    MixedPrecision(),
)
