"""How does a file get out? As an attachment only, never shown by the browser."""

from urllib.parse import quote

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, Response

from engine.access import Right, place_of_task
from models.files import path_of
from models.submission import Submission, SubmissionFile
from models.task import Task
from web.access import InActor, demand, needs
from web.office import InOffice, Number

router = APIRouter()


@router.api_route("/files/{file_id}", methods=["GET", "HEAD"], dependencies=[needs(Right.SEE)])
def download(file_id: Number, office: InOffice, actor: InActor) -> Response:
    with office.database.reading() as session:
        file = session.get(SubmissionFile, file_id)
        if file is None:
            raise HTTPException(404)
        version = session.get_one(Submission, file.submission_id)
        place = place_of_task(session, session.get_one(Task, version.task_id), actor.on)
    demand(actor, Right.SEE, place)
    path = path_of(office.settings.files, file.hash)
    if not path.is_file():
        raise HTTPException(404)
    return FileResponse(
        path,
        media_type=file.media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
            "Content-Security-Policy": "sandbox; default-src 'none'",
        },
    )
