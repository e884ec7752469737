"""Is it alive? One JSON answer for whoever watches the machine."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from models.last_round import last_round
from web.office import InOffice

router = APIRouter()


@router.api_route("/health", methods=["GET", "HEAD"])
def health(office: InOffice) -> JSONResponse:
    """`last_round` is the moment at which the engine last looked; null before its first round."""
    try:
        with office.database.reading() as session:
            last = last_round(session)
    except SQLAlchemyError:
        return JSONResponse({"database": "down", "last_round": None}, 503)
    return JSONResponse({"database": "ok", "last_round": last.at.isoformat() if last else None})
