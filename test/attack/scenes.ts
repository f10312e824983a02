import { setTimeout as wait } from "node:timers/promises";
import type { SessionStatus } from "../../functions/session/operator/session-status.ts";
import type { Attacker } from "./attacker.ts";
import type { Value } from "./bodies.ts";
import { changes, describeChange, stateOf } from "./effects.ts";
import type { StagedTenant, TenantName } from "./environment.ts";
import type { Input } from "./inputs.ts";
import { badRules, DESK, FALLBACK, numbers, QUESTION } from "./rules.ts";
import type { Answer } from "./wire.ts";

/** Requests that did harm once, or were thought to, and what must come of them. */
export interface Scene {
  name: string;
  /** What was otherwise. */
  play(attacker: Attacker): Promise<string[]>;
}

/** Wrong PINs on one number, and of one caller, that are looked at unless a record says otherwise. */
const TRIES_PER_NUMBER = 50;
const TRIES_PER_CALLER = 5;
/** Refused requests of one address in a minute. */
const REFUSALS = 60;
/** What SignalWire does of itself has come to the Worker within this. */
const SETTLED_MS = 10_000;
const APOLOGY = "cannot be connected right now";

const nothing: Omit<Input, "route" | "params" | "address"> = {
  path: "plain",
  query: [],
  headers: [],
  other: "alfa",
  signature: "none",
  token: "none",
  bearer: "none",
  body: { is: "none" },
};

interface Calling {
  via?: "swml" | "cxml";
  from?: string;
  call_id?: string;
  vars?: [string, Value][];
  params?: [string, Value][];
  headers?: Value;
  /** Of a form. */
  more?: [string, Value][];
  query?: [string, string][];
  signature?: Input["signature"];
  address?: string;
}

let calls = 0;

/** A call's webhook, signed unless it is said otherwise. */
function calling(tenant: string, to: string, given: Calling = {}): Input {
  calls += 1;
  const { via = "swml", from = "+15550100001", call_id = `scene-${calls}`, headers = [] } = given;
  return {
    ...nothing,
    route: `POST /hooks/:tenant/${via}`,
    params: { tenant },
    signature: given.signature ?? "right",
    query: given.query ?? [],
    address: given.address ?? `10.${calls >> 16}.${(calls >> 8) & 255}.${calls & 255}`,
    body: {
      is: "call",
      as: via === "swml" ? "json" : "form",
      call: [
        ["call_id", call_id],
        ["from", from],
        ["to", to],
        ...(via === "swml" ? ([["headers", headers]] as const) : []),
      ],
      vars: given.vars ?? [],
      params: given.params ?? [],
      more: given.more ?? [],
    },
  };
}

/** A status callback of alfa's unless it is said otherwise, with its token and without a signature. */
function telling(
  params: [string, Value][],
  given: { tenant?: string; timestamp?: number; as?: "json" | "form"; kind?: string } = {},
): Input {
  const {
    tenant = "alfa",
    timestamp = Date.now() / 1_000 + 60,
    as = "json",
    kind = "conference-status",
  } = given;
  return {
    ...nothing,
    route: `POST /hooks/:tenant/${kind}`,
    params: { tenant },
    token: "right",
    address: "10.1.2.3",
    body: { is: "event", as, event_type: "calling.conference", timestamp, params, more: [] },
  };
}

function asking(route: string, params: Record<string, string>, given: Partial<Input> = {}): Input {
  return { ...nothing, route, params, bearer: "right", address: "10.1.2.4", ...given };
}

/** Sends, and takes what is wrong with the answer for a complaint. */
function sender(attacker: Attacker, complaints: string[]): (input: Input) => Promise<Answer> {
  return async (input) => {
    const { answer, found } = await attacker.send(input);
    complaints.push(...found.map(({ what }) => what));
    return answer;
  };
}

/** All of them, some at a time, in their order. */
async function inTurn<T>(count: number, work: (nth: number) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  const left = Array.from({ length: count }, (_, nth) => nth).values();
  const workOn = async () => {
    for (const nth of left) done[nth] = await work(nth);
  };
  await Promise.all(Array.from({ length: 16 }, workOn));
  return done;
}

/** A call that was asked comes back with these digits. */
function keying(first: Input, asked: Answer, digits: string): Input {
  const state = stateIn(asked.body);
  if (first.body.is !== "call" || state === null) return first;
  const isForm = first.body.as === "form";
  return {
    ...first,
    ...(isForm ? { query: [["partyline", state]] } : {}),
    body: {
      ...first.body,
      vars: isForm
        ? [["prompt_value", digits]]
        : [
            ["prompt_result", "match_digits"],
            ["prompt_value", digits],
          ],
      params: isForm ? [] : [["partyline", state]],
    },
  };
}

function stateIn(document: string): string | null {
  return /"partyline":"([^"]+)"/.exec(document)?.[1] ?? /[?&;]partyline=([\w-]+)/.exec(document)?.[1] ?? null;
}

async function sessionFor(
  attacker: Attacker,
  tenant: TenantName,
  send: (input: Input) => Promise<Answer>,
): Promise<SessionStatus> {
  const { project_id } = tenantOf(attacker, tenant).project;
  const answer = await send(asking("GET /api/projects/:project/session", { project: project_id }));
  return JSON.parse(answer.body) as SessionStatus; // The API's own.
}

function tenantOf({ environment }: Attacker, name: TenantName): StagedTenant {
  const tenant = environment.tenants.get(name);
  if (!tenant) throw new Error(`there is no tenant ${name}`);
  return tenant;
}

/** What a scene must not change of these tenants. */
async function unchanged(
  { environment }: Attacker,
  names: readonly TenantName[],
  play: () => Promise<void>,
): Promise<string[]> {
  const before = await stateOf(environment, names, false);
  const visitors = environment.visitors.length;
  await play();
  await wait(300);
  const forwarded = environment.visitors
    .slice(visitors)
    .filter((visit) => names.some((name) => visit.includes(` /${name}/`)));
  return [
    ...changes(before, await stateOf(environment, names, false)).map(describeChange),
    ...forwarded.map((visit) => `was told on: ${visit}`),
  ];
}

/** PINs tried on addresses that callers can write in any number of ways: they are one number. */
function guessing(name: string, tenant: TenantName, to: (nth: number) => string): Scene {
  return {
    name: `PINs guessed on ${name}`,
    async play(attacker) {
      const complaints: string[] = [];
      const send = sender(attacker, complaints);
      const callers = TRIES_PER_NUMBER + 30;
      const looked_at = await inTurn(callers, async (nth) => {
        const first = calling(tenant, to(nth), { from: `+1555020${String(nth).padStart(4, "0")}` });
        const asked = await send(first);
        if (!asked.body.includes(QUESTION)) return false;
        return (await send(keying(first, asked, String(100_000 + nth)))).body.includes(QUESTION);
      });
      const count = looked_at.filter(Boolean).length;
      if (count >= TRIES_PER_NUMBER || count < TRIES_PER_NUMBER / 2)
        complaints.push(`${count} wrong PINs of ${callers} were looked at`);
      const late = await send(calling(tenant, to(callers), { from: "+15550209999" }));
      if (late.body.includes(QUESTION)) complaints.push("the number still asks for a PIN");
      return complaints;
    },
  };
}

export const scenes: readonly Scene[] = [
  guessing("queries of one resource", "bank", (nth) => `/public/bridge?x=${nth}`),
  guessing(
    "SIP users of 129 characters",
    "bank-2",
    (nth) => `sip:${"x".repeat(126)}${100 + nth}@example.com`,
  ),
  guessing("ports of six digits", "bank-3", (nth) => `sip:bridge@example.com:${100_000 + nth}`),
  {
    name: "PINs guessed by one caller",
    async play(attacker) {
      const complaints: string[] = [];
      const send = sender(attacker, complaints);
      const from = "+15550301000";
      const ask = async (tenant: TenantName, nth: number, as = from) => {
        const first = calling(tenant, numbers.bridge, { from: as });
        const asked = await send(first);
        if (!asked.body.includes(QUESTION)) return false;
        await send(keying(first, asked, String(200_000 + nth)));
        return true;
      };
      const asked: boolean[] = [];
      for (let nth = 0; nth < TRIES_PER_CALLER + 5; nth += 1) asked.push(await ask("delta", nth));
      const count = asked.filter(Boolean).length;
      if (count !== TRIES_PER_CALLER) complaints.push(`the caller was asked ${count} times`);
      if (!(await ask("delta", 90, "+15550301001"))) complaints.push("another caller is not asked");
      if (!(await ask("spare", 91))) complaints.push("another tenant does not ask the caller");
      return complaints;
    },
  },
  {
    name: "right PINs",
    async play(attacker) {
      const complaints: string[] = [];
      const send = sender(attacker, complaints);
      const { pins } = tenantOf(attacker, "delta");
      for (const via of ["swml", "cxml"] as const) {
        for (const [index, room] of ["board", "members"].entries()) {
          const first = calling("delta", numbers.bridge, { via, from: `+1555030200${index}` });
          const asked = await send(first);
          const let_in = await send(keying(first, asked, pins[index] ?? ""));
          if (!let_in.body.includes(`delta:${room}`))
            complaints.push(`by ${via} the PIN does not lead to ${room}: ${let_in.body.slice(0, 300)}`);
          const call_id = first.body.is === "call" ? String(first.body.call[0]?.[1]) : "";
          const story = await send(
            asking(
              "GET /api/tenants/:tenant/calls/:call_id",
              { tenant: "delta", call_id },
              { query: [["trace", "full"]] },
            ),
          );
          if (story.status !== 200) complaints.push(`its story is ${story.status}`);
        }
      }
      return complaints;
    },
  },
  {
    name: "calls without a signature while report_until runs",
    async play(attacker) {
      const complaints: string[] = [];
      const send = sender(attacker, complaints);
      const changed = await unchanged(attacker, ["reporting", "charlie"], async () => {
        for (const via of ["swml", "cxml"] as const) {
          for (const to of [...Object.values(numbers), "+15550109999", ""]) {
            const first = calling("reporting", to, { via, signature: "none" });
            let answer = await send(first);
            for (let back = 0; back < 2 && stateIn(answer.body) !== null; back += 1) {
              answer = await send(keying(first, answer, "4711"));
            }
            if (answer.status !== 200) complaints.push(`${via} to ${to}: ${answer.status}`);
          }
          const empty = await send({
            ...calling("reporting", "", { via, signature: "none" }),
            body: { is: "none" },
          });
          if (empty.status !== 200) complaints.push(`${via} with no body: ${empty.status}`);
        }
      });
      return [...complaints, ...changed];
    },
  },
  {
    name: "2,100 unsigned calls for tenants that there are not",
    async play(attacker) {
      const complaints: string[] = [];
      const send = sender(attacker, complaints);
      const statuses = await inTurn(2_100, async (nth) => {
        const made_up = calling(`made-up-${nth}`, numbers.team, { signature: "none" });
        const route =
          ["POST /hooks/:tenant/swml", "POST /hooks/:tenant/cxml", "POST /hooks/:tenant/conference-status"][
            nth % 3
          ] ?? "";
        return (await send({ ...made_up, route })).status;
      });
      if (statuses.some((status) => status !== 403))
        complaints.push(`answered with ${[...new Set(statuses)]}`);
      const call = await send(calling("delta", "+15550109999"));
      if (!call.body.includes(FALLBACK)) complaints.push(`a real call hears ${call.body.slice(0, 300)}`);
      return complaints;
    },
  },
  {
    name: "a flood from one address",
    async play(attacker) {
      const complaints: string[] = [];
      const send = sender(attacker, complaints);
      const address = "192.0.2.1";
      const refused = await inTurn(
        REFUSALS * 3,
        async () => (await send(calling("delta", numbers.team, { signature: "wrong_key", address }))).status,
      );
      // A minute may begin in between.
      if (refused.filter((status) => status === 403).length > REFUSALS * 2 || !refused.includes(429))
        complaints.push("its refusals are not limited");
      const wrong = await inTurn(
        REFUSALS * 3,
        async () =>
          (
            await send(
              asking("GET /api/tenants/:tenant/calls", { tenant: "delta" }, { bearer: "prefix", address }),
            )
          ).status,
      );
      if (!wrong.includes(429)) complaints.push("its wrong tokens are not limited");
      const signed = await inTurn(
        REFUSALS * 3,
        async () => (await send(calling("delta", "+15550109999", { address }))).status,
      );
      if (signed.some((status) => status !== 200)) complaints.push("its signed calls are limited");
      const operator = await send(asking("GET /api/tenants/:tenant/calls", { tenant: "delta" }, { address }));
      if (operator.status !== 200) complaints.push("its operator is limited");
      return complaints;
    },
  },
  {
    name: "calls that would take the rules too long",
    async play(attacker) {
      const complaints: string[] = [];
      const send = sender(attacker, complaints);
      const lists: [string, Value][] = [
        ["l", { items: 30_000 }],
        ["m", { items: 30_000 }],
      ];
      const header: Value = {
        fields: [
          ["name", "X"],
          ["value", { text: "1", times: 200_000 }],
        ],
      };
      for (const [what, input] of [
        ["two lists of 30,000", calling("costly", numbers.listed, { params: lists, call_id: "costly-1" })],
        [
          "a header of 200,000 characters",
          calling("costly", numbers.desk, { headers: [header], call_id: "costly-2" }),
        ],
      ] as const) {
        const { status, body } = await send(input);
        if (status !== 200 || !body.includes(`costly:${DESK}`))
          complaints.push(`${what}: ${status} ${body.slice(0, 300)}`);
      }
      await attacker.logIsWritten();
      for (const call of ["costly-1", "costly-2"]) {
        const isTold = attacker.environment.log.some(
          (line) => line.includes('"decide.over_budget"') && line.includes(`"${call}"`),
        );
        if (!isTold) complaints.push(`the log does not say that ${call} was over the budget`);
      }
      return complaints;
    },
  },
  {
    name: "one tenant's token with another's call",
    async play(attacker) {
      const complaints: string[] = [];
      const send = sender(attacker, complaints);
      const changed = await unchanged(attacker, ["bravo"], async () => {
        for (const status of [
          "participant-leave",
          "participant-mute",
          "participant-join",
          "conference-end",
          "record-stop",
        ]) {
          for (const as of ["json", "form"] as const) {
            for (const name of [
              ["name", "alfa:team"],
              ["name", "bravo:team"],
              ["nobody", ""],
            ] as [string, string][]) {
              const event: [string, Value][] = [
                ["status", status],
                name,
                ["conference_id", "<conference bravo>"],
                ["call_id", "bravo-1"],
              ];
              await send(telling(event, { as }));
              await send(telling(event, { as, kind: "recording-status" }));
            }
          }
        }
        await send(
          telling(
            [
              ["RecordingStatus", "completed"],
              ["call_id", "bravo-1"],
              ["conference_id", "<conference bravo>"],
            ],
            { as: "form", kind: "recording-status" },
          ),
        );
      });
      return [...complaints, ...changed];
    },
  },
  {
    name: "joins that nobody signed",
    async play(attacker) {
      const complaints: string[] = [];
      const send = sender(attacker, complaints);
      for (const [nth, call_id] of ["alfa-1", "alfa-2", "alfa-waits", "alfa-1", "alfa-2"].entries()) {
        await send(
          telling([
            ["status", "participant-join"],
            ["name", "alfa:team"],
            ["conference_id", `made-up-${nth}`],
            ["call_id", call_id],
          ]),
        );
      }
      const { breaker, leaving } = await sessionFor(attacker, "alfa", send);
      if (breaker.open_until !== null || leaving.open_until !== null)
        complaints.push(`a breaker of the project is open: ${JSON.stringify({ breaker, leaving })}`);
      return complaints;
    },
  },
  {
    name: "one tenant's calls that RELAY does not know, and that live",
    async play(attacker) {
      const complaints: string[] = [];
      const send = sender(attacker, complaints);
      for (const nth of [1, 2, 3]) {
        const call_id = `unknown-${nth}`;
        const call = calling("delta", numbers.team, { call_id });
        if (call.body.is !== "call") continue;
        await send({ ...call, body: { ...call.body, call: [...call.body.call, ["node_id", "node-1"]] } });
        const joined = telling(
          [
            ["status", "participant-join"],
            ["name", "delta:team"],
            ["conference_id", "made-up"],
            ["call_id", call_id],
          ],
          { tenant: "delta" },
        );
        await send({ ...joined, signature: "right" });
      }
      const { breaker, of_tenants } = await sessionFor(attacker, "delta", send);
      const own = of_tenants?.breaker["delta"]?.open_until ?? null;
      if (own === null) complaints.push("the tenant's calls still try RELAY");
      if (breaker.open_until !== null)
        complaints.push(`the project's breaker is open: ${JSON.stringify(breaker)}`);
      return complaints;
    },
  },
  {
    name: "a cXML call whose URL tells of another one",
    async play(attacker) {
      const complaints: string[] = [];
      const send = sender(attacker, complaints);
      const query: [string, string][] = [
        ["To", numbers.closed],
        ["From", "+15550100009"],
        ["CallSid", "another"],
        ["Digits", "1"],
        ["DialCallStatus", "completed"],
      ];
      const one = await send(calling("delta", "+15550109999", { via: "cxml", query }));
      if (!one.body.includes(FALLBACK)) complaints.push(`the call gets ${one.body.slice(0, 300)}`);
      const fields: [string, string][] = [
        ["CallSid", "c"],
        ["From", "+15550100001"],
        ["To", numbers.team],
      ];
      for (const field of fields) {
        const get: Input = {
          ...calling("delta", ""),
          route: "GET /hooks/:tenant/cxml",
          body: { is: "none" },
          query: [...fields, field],
        };
        const { status, body } = await send(get);
        if (status !== 200 || !body.includes(APOLOGY))
          complaints.push(`${field[0]} twice: ${status} ${body.slice(0, 300)}`);
      }
      return complaints;
    },
  },
  {
    name: "forms that are too large",
    async play(attacker) {
      const complaints: string[] = [];
      const send = sender(attacker, complaints);
      for (const body of [
        { is: "fields", count: 299, length: 1 },
        { is: "fields", count: 5_000, length: 1 },
        { is: "fields", count: 10, length: 7_000 },
      ] as const) {
        const call = await send({ ...calling("delta", ""), route: "POST /hooks/:tenant/cxml", body });
        if (call.status !== 200 || !call.body.includes(FALLBACK))
          complaints.push(`a call with ${JSON.stringify(body)}: ${call.status} ${call.body.slice(0, 200)}`);
        const callback = await send({ ...telling([]), body });
        if (callback.status !== 413)
          complaints.push(`a callback with ${JSON.stringify(body)}: ${callback.status}`);
      }
      return complaints;
    },
  },
  {
    name: "bodies that nest deeper than the stack",
    async play(attacker) {
      const complaints: string[] = [];
      const send = sender(attacker, complaints);
      for (const nested of ["list", "object"] as const) {
        const deep: Value = { fields: [["length", { nested, depth: 20_000 }]] };
        await send(
          calling("delta", numbers.desk, { params: [["team", deep]], vars: [["prompt_value", deep]] }),
        );
        await send({
          ...calling("delta", ""),
          body: {
            is: "json",
            type: "application/json",
            value: { fields: [["call", { fields: [["call_id", deep]] }]] },
          },
        });
        for (const field of ["status", "name", "new"]) {
          await send(
            telling([
              ["status", "participant-mute"],
              ["name", "alfa:team"],
              [field, deep],
            ]),
          );
        }
        const body: Input["body"] = {
          is: "json",
          type: "application/json",
          value: {
            fields: [
              ["url", deep],
              ["to", deep],
            ],
          },
        };
        await send(asking("POST /api/tenants/:tenant/doctor", { tenant: "spare" }, { body }));
        await send(
          asking(
            "POST /api/tenants/:tenant/conferences/:name/participants",
            { tenant: "spare", name: "team" },
            { body },
          ),
        );
      }
      return complaints;
    },
  },
  {
    name: "the same call once more, here and at another tenant",
    async play(attacker) {
      const complaints: string[] = [];
      const send = sender(attacker, complaints);
      const { project } = tenantOf(attacker, "bravo");
      const joins = async () =>
        (await project.journal({ kind: "frame_in" })).filter((entry) =>
          JSON.stringify(entry).includes("calling.join_conference"),
        ).length;
      const before = await joins();
      const changed = await unchanged(attacker, ["alfa"], async () => {
        const again = [1, 2, 3].map(() =>
          send(calling("bravo", numbers.team, { call_id: "bravo-1", from: "+15550100003" })),
        );
        const bodies = new Set((await Promise.all(again)).map(({ body }) => body));
        if (bodies.size !== 1) complaints.push(`it gets ${bodies.size} answers`);
        await send(calling("delta", numbers.team, { call_id: "alfa-1" }));
      });
      if ((await joins()) !== before) complaints.push("it is joined again");
      return [...complaints, ...changed];
    },
  },
  {
    name: "an event of the year 33658",
    async play(attacker) {
      const complaints: string[] = [];
      const send = sender(attacker, complaints);
      const tenant = tenantOf(attacker, "default");
      for (const status of ["participant-mute", "participant-join"]) {
        const event: [string, Value][] = [
          ["status", status],
          ["name", "team"],
          ["conference_id", "<conference default>"],
          ["call_id", "default-1"],
        ];
        await send(telling(event, { tenant: "default", timestamp: 1e12 }));
      }
      await tenant.project.hangUp("default-1");
      const room = async () =>
        (
          await send(
            asking("GET /api/tenants/:tenant/conferences/:name", { tenant: "default", name: "team" }),
          )
        ).status;
      for (const until = Date.now() + SETTLED_MS; (await room()) !== 404; await wait(50)) {
        if (Date.now() > until) return [...complaints, "who hung up after it is still in the room"];
      }
      return complaints;
    },
  },
  {
    name: "URLs with passwords that can't be read",
    async play(attacker) {
      const complaints: string[] = [];
      const send = sender(attacker, complaints);
      const call = await send(calling("bad", numbers.team));
      if (call.status !== 200) complaints.push(`a call: ${call.status}`);
      const password = attacker.environment.canaries.make("password", "spare", "never");
      const body: Input["body"] = {
        is: "text",
        text: JSON.stringify(badRules(password)),
        type: "application/json",
      };
      const written = await send(
        asking(
          "PUT /api/tenants/:tenant/ruleset",
          { tenant: "spare" },
          { headers: [["if-match", "*"]], body },
        ),
      );
      if (written.status !== 422) complaints.push(`such rules are written: ${written.status}`);
      for (const url of [
        `https://user:${password}@[::1/x`,
        `https://user:${password}@example.com/hooks/spare/swml?token=${password}`,
      ]) {
        const asked: Input["body"] = { is: "text", text: JSON.stringify({ url }), type: "application/json" };
        const doctor = await send(
          asking("POST /api/tenants/:tenant/doctor", { tenant: "spare" }, { body: asked }),
        );
        if (doctor.status !== 200) complaints.push(`the doctor: ${doctor.status}`);
      }
      return complaints;
    },
  },
];
