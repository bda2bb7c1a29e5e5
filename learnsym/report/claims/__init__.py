"""What experiments claim and what they found: read from `claims.yaml`; as text, as Markdown, and as a page."""

from learnsym.report.claims.claim import VERDICTS, Claim, read_claims
from learnsym.report.claims.page import write_page
from learnsym.report.claims.table import claims_table, markdown_table, summary, text_table

__all__ = ["VERDICTS", "Claim", "claims_table", "markdown_table", "read_claims", "summary", "text_table", "write_page"]
