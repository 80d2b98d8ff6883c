"""Move CSS into style attributes, as mail clients need it, around the tags of Jinja2."""

import re
from functools import lru_cache

import css_inline

TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
HOLDER = re.compile(r"<!--zq(\d+)qz-->|zq(\d+)qz")
VERBATIM = re.compile(r"<!--.*?-->|<(title|style|script)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
INLINER = css_inline.CSSInliner(inline_style_tags=False, keep_style_tags=True, load_remote_stylesheets=False)


@lru_cache(maxsize=1024)
def inlined(html: str, css: str) -> str:
    """The same HTML with the rules of `css` at each element that they are for. `<style>` elements stay as they are."""
    tags: list[str] = []
    held = _outside_markup(TAG.sub(lambda tag: _holder(tags, tag[0]), html))
    whole = "<html" in html.lower()
    styled = _styled_document(held, css) if whole else INLINER.inline_fragment(held, css)
    if "<tbody" not in html:
        styled = re.sub(r"</?tbody>", "", styled)
    return HOLDER.sub(lambda holder: _held(tags, holder), styled)


def _held(tags: list[str], holder: re.Match[str]) -> str:
    """The tag that a placeholder stands for; words that only look like one stay as they are."""
    place = int(holder[1] or holder[2])
    return tags[place] if place < len(tags) else holder[0]


def _styled_document(html: str, css: str) -> str:
    inliner = css_inline.CSSInliner(
        inline_style_tags=False, keep_style_tags=True, load_remote_stylesheets=False, extra_css=css
    )
    return inliner.inline(html)


def _holder(tags: list[str], tag: str) -> str:
    tags.append(tag)
    return f"zq{len(tags) - 1}qz"


def _outside_markup(html: str) -> str:
    """Between elements a placeholder becomes a comment: a parser would move text out of a table."""
    pieces: list[str] = []
    end = 0
    for markup in VERBATIM.finditer(html):
        pieces += [_comments(html[end : markup.start()]), markup[0]]
        end = markup.end()
    return "".join([*pieces, _comments(html[end:])])


def _comments(text: str) -> str:
    return re.sub(r"zq\d+qz", lambda holder: f"<!--{holder[0]}-->", text)
