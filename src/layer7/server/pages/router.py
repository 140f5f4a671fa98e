"""The pages' addresses: reading, deciding (post, then redirect, then get), and the files they load."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from layer7.contract.lifecycle import ALLOWED, Kind, State
from layer7.errors import Layer7Error
from layer7.review import Action
from layer7.server.http.problems import headers_of, status_of
from layer7.server.pages import assets, context, figures, surveys, trials
from layer7.server.pages.views import PageData
from layer7.storage.database.tokens import Scope, Token

LONGEST_REASON = 2000
"""Characters that a reason may have."""

Lock = Callable[..., Token]
"""A FastAPI dependency: gives the token of who asks, or raises."""


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the navigation."""

    name: str
    path: str


LINKS = (
    Link("Overview", "/"),
    Link("Recommendations", "/recommendations"),
    Link("Experiments", "/experiments"),
    Link("Rollouts", "/rollouts"),
    Link("Segments", "/segments"),
    Link("Market", "/market"),
)
"""The pages there are; a new page adds its link here, so that no link is dead."""


def router(data: PageData, require: Callable[..., Lock], *, links: tuple[Link, ...] = LINKS) -> APIRouter:
    """Make the routes of the pages.

    Args:
        data: where the pages get what they show, and what decides.
        require: makes the lock of a page from the scopes that open it, such as
            :func:`layer7.server.http.auth.require`; it also refuses forms that another site sends.
        links: the navigation.
    """
    pages = _Pages(data, links)
    routes = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    reading, deciding = require(Scope.READ, Scope.REVIEW), require(Scope.REVIEW)
    _reading(routes, pages, reading)
    _trials(routes, pages, reading)
    _surveys(routes, pages, reading)
    _deciding(routes, pages, deciding)

    @routes.get("/static/{name}")
    def static(name: str, request: Request) -> Response:
        try:
            return assets.asset_response(name, request)
        except Layer7Error as error:
            return Response(str(error), status_code=404, media_type="text/plain")

    return routes


def _reading(routes: APIRouter, pages: "_Pages", lock: Lock) -> None:
    @routes.get("/", dependencies=[Depends(lock)])
    def overview(request: Request) -> Response:
        return pages.answer(request, "overview.html", lambda: context.overview_context(pages.data.overview()))

    @routes.get("/recommendations", dependencies=[Depends(lock)])
    def queue(request: Request, state: str = State.PROPOSED) -> Response:
        return pages.answer(
            request, "queue.html", lambda: context.queue_context(pages.data.queue(_state(state)))
        )

    @routes.get("/recommendations/{name}")
    def recommendation(
        request: Request, name: str, token: Annotated[Token, Depends(lock)], done: str = ""
    ) -> Response:
        def made() -> context.Context:
            view = pages.data.recommendation(name)
            return context.recommendation_context(view, may_decide=token.allows(Scope.REVIEW), done=done)

        return pages.answer(request, "recommendation.html", made)


def _trials(routes: APIRouter, pages: "_Pages", lock: Lock) -> None:
    @routes.get("/experiments", dependencies=[Depends(lock)])
    def experiments(request: Request) -> Response:
        return pages.answer(
            request, "experiments.html", lambda: trials.experiments_context(pages.data.experiments())
        )

    @routes.get("/experiments/{name}", dependencies=[Depends(lock)])
    def experiment(request: Request, name: str) -> Response:
        return pages.answer(
            request, "experiment.html", lambda: trials.experiment_context(pages.data.experiment(name))
        )

    @routes.get("/rollouts", dependencies=[Depends(lock)])
    def rollouts(request: Request) -> Response:
        return pages.answer(request, "rollouts.html", lambda: trials.rollouts_context(pages.data.rollouts()))

    @routes.get("/rollouts/{name}")
    def rollout(
        request: Request, name: str, token: Annotated[Token, Depends(lock)], done: str = ""
    ) -> Response:
        def made() -> context.Context:
            view = pages.data.rollout(name)
            return trials.rollout_context(view, may_decide=token.allows(Scope.REVIEW), done=done)

        return pages.answer(request, "rollout.html", made)


def _surveys(routes: APIRouter, pages: "_Pages", lock: Lock) -> None:
    @routes.get("/segments", dependencies=[Depends(lock)])
    def segments(request: Request) -> Response:
        return pages.answer(request, "segments.html", lambda: surveys.segments_context(pages.data.segments()))

    @routes.get("/market", dependencies=[Depends(lock)])
    def market(request: Request) -> Response:
        return pages.answer(request, "market.html", lambda: surveys.market_context(pages.data.market()))


def _deciding(routes: APIRouter, pages: "_Pages", lock: Lock) -> None:
    @routes.post("/recommendations/{name}/decide")
    def decide(
        request: Request,
        name: str,
        token: Annotated[Token, Depends(lock)],
        form: Annotated["_Asked", Depends(_asked)],
    ) -> Response:
        try:
            action, why = Action(_choice(form.action, set(Action))), _reason(form.why)
            pages.data.decide(name, action, why=why, actor=token.name, etag=form.etag)
        except Layer7Error as refused:
            return pages.refusal(request, "recommendation.html", refused, lambda: pages.again(name, form))
        return _see(request, "recommendations", name, action)

    @routes.post("/rollouts/{name}/move")
    def move(
        request: Request,
        name: str,
        token: Annotated[Token, Depends(lock)],
        form: Annotated["_Asked", Depends(_asked)],
    ) -> Response:
        try:
            chosen, why = _choice(form.action, trials.MOVES), _reason(form.why)
            pages.data.move_rollout(name, chosen, why=why, actor=token.name, etag=form.etag)
        except Layer7Error as refused:
            return pages.refusal(request, "rollout.html", refused, lambda: pages.rollout_again(name, form))
        return _see(request, "rollouts", name, chosen)


@dataclass(frozen=True, slots=True)
class _Asked:
    action: str
    why: str
    etag: str


def _asked(
    action: Annotated[str, Form()] = "", why: Annotated[str, Form()] = "", etag: Annotated[str, Form()] = ""
) -> _Asked:
    return _Asked(action, why, etag)


@dataclass(frozen=True, slots=True)
class _Pages:
    data: PageData
    links: tuple[Link, ...]

    def answer(self, request: Request, template: str, make: Callable[[], context.Context]) -> Response:
        try:
            return self.shown(request, template, make())
        except Layer7Error as error:
            return self.shown(request, "error.html", {}, error)

    def refusal(
        self, request: Request, template: str, refused: Layer7Error, make: Callable[[], context.Context]
    ) -> Response:
        """Show the page again, with what was typed and why it was refused."""
        try:
            return self.shown(request, template, make(), refused)
        except Layer7Error as error:
            return self.shown(request, "error.html", {}, error)

    def again(self, name: str, form: _Asked) -> context.Context:
        """Prepare the page of a recommendation whose decision was refused."""
        view = self.data.recommendation(name)
        return context.recommendation_context(view, why=form.why, attempted=form.action)

    def rollout_again(self, name: str, form: _Asked) -> context.Context:
        """Prepare the page of a rollout whose move was refused."""
        return trials.rollout_context(self.data.rollout(name), why=form.why, attempted=form.action)

    def shown(
        self,
        request: Request,
        template: str,
        given: Mapping[str, object],
        error: Layer7Error | None = None,
    ) -> Response:
        root = _root(request)
        here = request.url.path.removeprefix(root)
        current = max((link.path for link in self.links if _leads(link.path, here)), key=len, default="")
        page = _TEMPLATES.get_template(template).render(
            **given, error=error, root=root, links=self.links, current=current
        )
        if error is None:
            return HTMLResponse(page)
        return HTMLResponse(page, status_of(error), headers_of(error))


def _leads(path: str, here: str) -> bool:
    return here == path or (path != "/" and here.startswith(path + "/"))


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/")


def _state(name: str) -> State:
    known = ALLOWED[Kind.RECOMMENDATION]
    if name not in known:
        raise Layer7Error(
            "unknown_state", f"There is no state {name[:40]!r}.", f"There are: {', '.join(known)}."
        )
    return State(name)


def _see(request: Request, pages: str, name: str, done: str) -> Response:
    """Lead from a form back to its page, which confirms what was done."""
    return RedirectResponse(f"{_root(request)}/{pages}/{quote(name, safe='')}?done={done}", status_code=303)


def _choice(name: str, known: Collection[str]) -> str:
    if name not in known:
        raise Layer7Error(
            "unknown_action", f"There is no action {name[:40]!r}.", "Choose one of those on the page."
        )
    return name


def _reason(text: str) -> str:
    if len(text) > LONGEST_REASON:
        raise Layer7Error(
            "reason_too_long",
            f"The reason has {len(text):,} characters; {LONGEST_REASON:,} are allowed.",
            "Say it more shortly, and link to the rest.",
        )
    return text.strip()


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("layer7.server.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    written = (
        figures.count,
        figures.counted,
        figures.share,
        figures.target,
        figures.purpose,
        figures.percent,
        figures.interval,
        figures.gain,
        figures.probability,
        figures.words,
        figures.setting,
        figures.changed,
        figures.day,
        figures.moment,
        figures.night,
        figures.duration,
        trials.arms,
    )
    environment.filters.update({write.__name__: write for write in written})
    environment.globals["version"] = assets.version
    environment.globals["longest_reason"] = LONGEST_REASON
    return environment


_TEMPLATES = _environment()
