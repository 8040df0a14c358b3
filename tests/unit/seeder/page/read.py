"""What a parser makes of a page: its elements, their attributes and their text. It is not the code that wrote it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"br", "input", "link", "meta"}


@dataclass
class Element:
    """An element as it was parsed; `parts` are its texts and elements in order."""

    name: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    parts: list[str | Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)

    def all(self, name: str = "") -> list[Element]:
        """Return the elements of this name within, in the order of the page; all of them where it is empty."""
        found: list[Element] = []
        for part in self.parts:
            if isinstance(part, Element):
                found += [part, *part.all()]
        return [element for element in found if name in ("", element.name)]

    def get(self, name: str, **attributes: str) -> Element:
        """Return the one element of this name with these attributes; `class_` is class."""
        wanted = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
        (found,) = [element for element in self.all(name) if wanted.items() <= element.attributes.items()]
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"<{tag}> has an attribute twice"
        element = Element(tag, dict(attrs))
        self.open[-1].parts.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open[-1].name, f"</{tag}> ends <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].parts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def read(page: str) -> Element:
    """Parse a page. Raises AssertionError where its tags are not balanced."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == [reader.root]
    return reader.root


def shape(element: Element) -> list[str]:
    """Return the names of all elements, in order."""
    return [each.name for each in element.all()]
