"""What the document could not say, in words for the author of the entities."""

from dataclasses import dataclass, field
from typing import List


@dataclass(frozen=True)
class Finding:
    #: ``unsupported``: the document has ``{"unsupported": …}`` there, and the gateway will not start with it.
    #: ``note``: the document is whole, but something about the code is worth knowing.
    kind: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.text}"


@dataclass
class Report:
    findings: List[Finding] = field(default_factory=list)

    def unsupported(self, where: str, text: str) -> None:
        self._add(Finding("unsupported", where, text))

    def note(self, where: str, text: str) -> None:
        self._add(Finding("note", where, text))

    def _add(self, finding: Finding) -> None:
        if finding not in self.findings:
            self.findings.append(finding)

    @property
    def unsupported_count(self) -> int:
        return sum(finding.kind == "unsupported" for finding in self.findings)

    def as_text(self) -> str:
        return "".join(f"{finding}\n" for finding in self.findings)
