"""An agent framework's own tool objects, called as the framework calls them, through the proxy.

Usage: mcp_agents.py FRAMEWORK, with the setting as JSON on the first line of standard input:
`command` and `args` start the proxy, `env` is its environment. Then one call a line on standard
input, `{"tool": …, "arguments": {…}}`, and one answer a line on standard output,
`{"answer": …}` or `{"raised": …}`. The framework's sessions stay open as it keeps them.
"""

import asyncio
import json
import sys


def say(**what):
    print(json.dumps(what), flush=True)


def told(error):
    """The innermost errors: AutoGen raises groups."""
    if isinstance(error, BaseExceptionGroup):
        return " | ".join(told(inner) for inner in error.exceptions)
    return f"{type(error).__name__}: {error}"


async def lines():
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        yield json.loads(line)


async def langchain(setting):
    from langchain_mcp_adapters.client import MultiServerMCPClient

    client = MultiServerMCPClient({"notes": {"transport": "stdio", **setting}})
    tools = {tool.name: tool for tool in await client.get_tools()}
    say(answer=sorted(tools))
    async for call in lines():
        try:
            # A new process of the proxy for each call.
            answer = await tools[call["tool"]].ainvoke(call["arguments"])
            say(answer=answer if isinstance(answer, str) else texts(answer))
        except Exception as error:
            say(raised=told(error))


def texts(blocks):
    return "\n".join(block["text"] for block in blocks)


async def autogen(setting):
    from autogen_core import CancellationToken
    from autogen_ext.tools.mcp import StdioServerParams, mcp_server_tools

    # Its own default of 5 s is shorter than any person decides.
    params = StdioServerParams(**setting, read_timeout_seconds=60)
    tools = {tool.name: tool for tool in await mcp_server_tools(params)}
    say(answer=sorted(tools))
    async for call in lines():
        try:
            tool = tools[call["tool"]]
            answer = await tool.run_json(call["arguments"], CancellationToken())
            say(answer=tool.return_value_as_string(answer))
        except Exception as error:
            say(raised=told(error))


def crewai(setting):
    from crewai_tools import MCPServerAdapter
    from mcp import StdioServerParameters

    with MCPServerAdapter(StdioServerParameters(**setting)) as found:
        tools = {tool.name: tool for tool in found}
        say(answer=sorted(tools))
        for line in sys.stdin:
            call = json.loads(line)
            try:
                say(answer=tools[call["tool"]].run(**call["arguments"]))
            except Exception as error:
                say(raised=told(error))


def main():
    setting = json.loads(sys.stdin.readline())
    match sys.argv[1]:
        case "langchain":
            asyncio.run(langchain(setting))
        case "autogen":
            asyncio.run(autogen(setting))
        case "crewai":
            crewai(setting)


if __name__ == "__main__":
    main()
