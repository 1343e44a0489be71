"""Which files go into a zip file, and the zip file itself: the same bytes for the same content, cached.

Owns:    zip files and the notes about their content, in the folder that the caller names.
Not:     what a function or layer is (templates/serverless, templates/sam), building dependencies (their plugins).
Imports: nothing of ours but templates/errors
Start:   artifact.py, selection.py, zips.py
"""

from freehold.templates.package.artifact import Artifact
from freehold.templates.package.selection import select_files
from freehold.templates.package.zips import Entry, make_zip

__all__ = ["Artifact", "Entry", "make_zip", "select_files"]
