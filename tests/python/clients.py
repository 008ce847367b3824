"""Calls the service as users of the Python SDK do, and says what came of it.

Reads one JSON object from standard input (see `Setting`), runs every case at once, each in a
thread of its own, and prints one JSON line per case: its name, the class of the exception (or
`returned`), what the exception carries, and how often the governed function's body ran.

Runs under 0.2.0 and 0.6.9 alike. The intent says to the reviewer on the other side what to do:
`approve.…`, `reject.…`, `ignore.…`, `approve-three.…`.
"""

import asyncio
import json
import secrets
import sys
import threading
import time
import types

import httpx
import sernixa
import sernixa.client as sdk

NEW = sernixa.__version__ != "0.2.0"


class Setting:
    """Where the services are, and the keys of those who call."""

    def __init__(self, document):
        self.url = document["url"]
        self.hasty_url = document["hasty_url"]  # where approvals expire after a second or two
        self.agent_key = document["agent_key"]  # bound to worker-agent, helper-agent
        self.root_key = document["root_key"]  # admin; makes root tokens
        self.hasty_key = document["hasty_key"]
        self.signing_key_id = document["signing_key_id"]
        self.signing_secret = document["signing_secret"]
        self.broken_token = document["broken_token"]  # its text was changed in the database


# What a thread may bend in the SDK, without the other threads noticing.
bent = threading.local()


class BentTime(types.ModuleType):
    def __getattr__(self, name):
        return getattr(time, name)

    @staticmethod
    def time():
        return time.time() + getattr(bent, "seconds", 0)


class BentSecrets(types.ModuleType):
    def __getattr__(self, name):
        return getattr(secrets, name)

    @staticmethod
    def token_hex(count):
        # 0.6.9 draws a request id before its nonce; that one stays as it is.
        bent.drawn = getattr(bent, "drawn", 0) + 1
        if NEW and bent.drawn == 1:
            return secrets.token_hex(count)
        return getattr(bent, "nonce", None) or secrets.token_hex(count)


sdk.time = BentTime("time")
sdk.secrets = BentSecrets("secrets")

cases = []
lock = threading.Lock()


def case(function):
    cases.append(function)
    return function


def say(name, outcome, ran, **more):
    with lock:
        print(json.dumps({"case": name, "outcome": outcome, "ran": ran, **more}), flush=True)


def report(name, count, call):
    """Runs `call`, and says how it ended."""
    try:
        value = call()
    except sernixa.SernixaError as error:
        say(
            name,
            type(error).__name__,
            count(),
            reason=error.reason,
            approval_id=error.approval_id,
            status_code=error.status_code,
            evidence=error.evidence,
        )
    except BaseException as error:  # a bug, to be seen by the test
        say(name, f"{type(error).__module__}.{type(error).__name__}", count(), text=str(error))
    else:
        say(name, "returned", count(), value=value)


class Tool:
    """A governed function that counts its runs."""

    def __init__(self, client, intent, *, risk="MEDIUM", operation="update", data="internal", action=None, **metadata):
        self.runs = 0
        contract = dict(
            intent_id=intent,
            risk_level=risk,
            operation_class=operation,
            data_sensitivity=data,
            systems_touched=["billing"],
            metadata=metadata,
            action_id=action,
        )

        @client.intercept(**contract)
        def pay(cents):
            self.runs += 1
            return cents

        @client.intercept(**contract)
        async def apay(cents):
            self.runs += 1
            return cents

        self.pay, self.apay = pay, apay

    def count(self):
        return self.runs


def client(url, key, **more):
    options = {"poll_interval": 0.2, "poll_timeout": 25, **more}
    return sernixa.Client(base_url=url, api_key=key, **options)


def both(name, build):
    """The same case through the sync and the async door."""

    def run(setting):
        tool = build(setting, "sync")
        report(f"{name} sync", tool.count, lambda: tool.pay(7))

    def arun(setting):
        tool = build(setting, "async")
        report(f"{name} async", tool.count, lambda: asyncio.run(tool.apay(7)))

    cases.extend([run, arun])


# ------------------------------------------------------------------------ what a person decides


both("allowed", lambda s, door: Tool(client(s.url, s.agent_key), f"ignore.read.{door}", risk="LOW", operation="read"))
both("approved", lambda s, door: Tool(client(s.url, s.agent_key), f"approve.{door}"))
both("critical approved", lambda s, door: Tool(client(s.url, s.agent_key), f"approve.critical.{door}", risk="CRITICAL"))
both("rejected", lambda s, door: Tool(client(s.url, s.agent_key), f"reject.{door}"))
both("blocked", lambda s, door: Tool(client(s.url, s.agent_key), f"ignore.blocked.{door}", action="forbidden-tool"))
both("expired", lambda s, door: Tool(client(s.hasty_url, s.hasty_key), f"ignore.expired.{door}"))
both("timed out", lambda s, door: Tool(client(s.url, s.agent_key, poll_timeout=1), f"ignore.timeout.{door}"))
both("wrong key", lambda s, door: Tool(client(s.url, "srnx_live_" + "0" * 40), f"approve.stranger.{door}"))


# ------------------------------------------------------------------------ delegation


def token(setting, **more):
    """A root token for worker-agent: low and medium updates of internal data."""
    request = dict(
        delegator_agent_id="orchestrator",
        delegatee_agent_id="worker-agent",
        scope=sernixa.delegation_scope(
            max_risk_level="medium",
            allowed_operation_classes=["update", "read"],
            allowed_data_sensitivities=["internal"],
        ),
        reason="the tests",
    )
    request.update(more)
    return client(setting.url, setting.root_key).create_delegation_token(**request)


def delegated(name, *, make=None, agent="worker-agent", secret=None, tool=None, prepare=None, times=1):
    """One delegated call; the last of `times`, when it takes several."""

    def run(setting):
        try:
            made = make(setting) if make else token(setting)["token_id"]
            options = dict(signing_secret=secret or setting.signing_secret, key_id=setting.signing_key_id)
            subject = Tool(client(setting.url, setting.agent_key), f"approve.{name.replace(' ', '-')}", **(tool or {}))
            if prepare:
                prepare()
            for attempt in range(times - 1):
                with sernixa.with_delegation(agent, made, **options):
                    subject.pay(attempt)
                bent.drawn = 0
                subject.runs = 0
                subject = Tool(
                    client(setting.url, setting.agent_key), f"approve.again.{attempt}", **(tool or {})
                )
        except Exception as error:
            say(name, f"{type(error).__name__}", -1, text=f"before the call: {error} {getattr(error, 'response_text', '')}")
            return
        with sernixa.with_delegation(agent, made, **options):
            report(name, subject.count, lambda: subject.pay(7))

    cases.append(run)


def bend(**what):
    return lambda: bent.__dict__.update(what)


delegated("delegated")
delegated("delegated critical", tool=dict(risk="CRITICAL"), make=lambda s: token(
    s, scope=sernixa.delegation_scope(max_risk_level="critical", allowed_operation_classes=["update"], allowed_data_sensitivities=["internal"]))["token_id"])
delegated("wrong secret", secret="not the secret of this key")
delegated("replayed nonce", prepare=bend(nonce="ab" * 16), times=2)
delegated("malformed nonce", prepare=bend(nonce="not a nonce"))
delegated("old timestamp", prepare=bend(seconds=-1000))
delegated("future timestamp", prepare=bend(seconds=1000))
delegated("out of scope by risk", tool=dict(risk="HIGH"))
delegated("out of scope by class", tool=dict(operation="delete"))
delegated("out of scope by sensitivity", tool=dict(data="restricted"))
delegated("out of scope by tool", make=lambda s: token(s, tool_subset=["another-tool"])["token_id"])
delegated("within the tools", make=lambda s: token(s, tool_subset=["the-tool"])["token_id"], tool=dict(action="the-tool"))
delegated("wrong delegatee", agent="helper-agent")
delegated("unknown agent", agent="stranger-agent", make=lambda s: token(s, delegatee_agent_id="stranger-agent")["token_id"])
delegated("no such token", make=lambda s: "dgt_" + "0" * 32)
delegated("broken chain", make=lambda s: s.broken_token)


def revoke(setting, token_id):
    answer = httpx.post(
        f"{setting.url}/api/delegations/{token_id}/revoke",
        headers={"Authorization": f"Bearer {setting.root_key}"},
        json={"reason": "the test revokes it"},
    )
    answer.raise_for_status()


def revoked(setting):
    made = token(setting)["token_id"]
    revoke(setting, made)
    return made


def child(setting, parent, **more):
    request = dict(
        parent_token_id=parent,
        delegator_agent_id="worker-agent",
        delegatee_agent_id="helper-agent",
        scope=sernixa.delegation_scope(
            max_risk_level="medium", allowed_operation_classes=["update"], allowed_data_sensitivities=["internal"]
        ),
    )
    request.update(more)
    return client(setting.url, setting.agent_key).create_delegation_token(**request)["token_id"]


def revoked_above(setting):
    parent = token(setting)["token_id"]
    made = child(setting, parent)
    revoke(setting, parent)
    return made


def expired(setting):
    made = token(setting, expires_in_seconds=1)["token_id"]
    time.sleep(2.1)
    return made


delegated("revoked", make=revoked)
delegated("revoked above", make=revoked_above, agent="helper-agent")
delegated("expired token", make=expired)
delegated("delegated twice", make=lambda s: child(s, token(s)["token_id"]), agent="helper-agent")


@case
def broadened_child(setting):
    parent = token(setting)["token_id"]
    scope = sernixa.delegation_scope(
        max_risk_level="critical", allowed_operation_classes=["update"], allowed_data_sensitivities=["internal"]
    )
    report("broadened child", lambda: 0, lambda: child(setting, parent, scope=scope))


@case
def unsigned(setting):
    made = token(setting)["token_id"]
    tool = Tool(client(setting.url, setting.agent_key), "approve.unsigned")
    with sernixa.with_delegation("worker-agent", made):
        report("unsigned", tool.count, lambda: tool.pay(7))


# ------------------------------------------------------------------------ the MCP call gate


def gate(name, **call):
    @case
    def run(setting):
        arguments = dict(mcp_toolset_id="tools", tool_name="update_invoice", intent_id="ignore.mcp", server_name="billing")
        arguments.update(call)
        if NEW:
            arguments.update(plan_token="plan-1", step_proof={"proof_id": "proof-1", "step_id": "step-1"}, step_id="step-1")
        report(name, lambda: 0, lambda: client(setting.url, setting.agent_key).mcp_call_gate(**arguments))


gate("gate allows", tool_name="read_invoice", risk_level="low", operation_class="read", arguments={"id": "inv_1"})
gate("gate asks", arguments={"id": "inv_1", "cents": 1})
gate("gate asks at critical", risk_level="critical", arguments={"id": "inv_2"})
gate("gate blocks", action_id="forbidden-tool", arguments={"id": "inv_3"})


# ------------------------------------------------------------------------ memory


@case
def memory_of_a_function(setting):
    connection = client(setting.url, setting.agent_key)
    tool = Tool(connection, "approve-three.function", risk="LOW")
    for _ in range(3):
        tool.pay(1)
    hasty = Tool(client(setting.url, setting.agent_key, poll_timeout=1), "approve-three.function", risk="LOW")
    say("memory of a function: taught", "returned", tool.runs)
    report("memory of a function", hasty.count, lambda: hasty.pay(99999999))


@case
def memory_of_a_boundary(setting):
    runs = []

    def pay(**arguments):
        runs.append(arguments)
        return 1

    def call(connection, **arguments):
        boundary = sernixa.McpToolBoundary(client=connection, server_name="billing")
        return boundary.invoke(
            tool_name="pay", arguments=arguments, handler=pay, intent_id="approve-three.boundary", operation_class="update"
        )

    connection = client(setting.url, setting.agent_key)
    for _ in range(3):
        call(connection, cents=1)
    say("memory of a boundary: taught", "returned", len(runs))
    runs.clear()
    hasty = client(setting.url, setting.agent_key, poll_timeout=1)
    report("memory of a boundary", lambda: len(runs), lambda: call(hasty, cents=99999999))
    report("memory of a boundary without arguments", lambda: len(runs), lambda: call(hasty))


# ------------------------------------------------------------------------ readiness


@case
def readiness(setting):
    report("readiness", lambda: 0, lambda: client(setting.url, setting.agent_key).readiness()["status"])


def main():
    setting = Setting(json.load(sys.stdin))
    threads = [threading.Thread(target=function, args=(setting,)) for function in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
