"""Which tables are there? Importing this module makes SQLModel know them all."""

from sqlmodel import SQLModel

from models import (
    contact,
    cycle,
    day,
    deadline,
    entry,
    extension,
    last_round,
    link,
    message,
    milestone,
    notice,
    plan,
    step,
    submission,
    task,
    unit,
)

metadata = SQLModel.metadata
modules = (
    unit,
    contact,
    plan,
    day,
    milestone,
    cycle,
    deadline,
    step,
    task,
    submission,
    extension,
    link,
    message,
    notice,
    entry,
    last_round,
)
