"""Environments of programs that live beside ours: declared once, pinned by hash, never part of our own.

tools = Tools(settings.tools_folder)
await tools.install("downloader")
argv = [str(tools.python("downloader")), "-m", "soundforge_runners.fetch_ytdlp"]
"""

from soundforge.tools._environments import Tools, ToolState
from soundforge.tools._table import TOOLS, Tool, get_tool

__all__ = ["TOOLS", "Tool", "ToolState", "Tools", "get_tool"]
