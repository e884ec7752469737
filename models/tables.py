"""Which tables are there? Importing this module makes SQLModel know them all."""

from sqlmodel import SQLModel

from models import (
    ask,
    contact,
    cycle,
    day,
    deadline,
    draft,
    entry,
    extension,
    last_round,
    link,
    message,
    milestone,
    note,
    notice,
    plan,
    step,
    submission,
    task,
    unit,
    user,
    view,
    visit,
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
    user,
    visit,
    note,
    draft,
    ask,
    view,
)
