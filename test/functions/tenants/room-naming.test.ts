import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { callbackUrls, proofsOf } from "../../../functions/call-flow/callback-urls.ts";
import type { Naming } from "../../../functions/session/contract/placement.ts";
import { findOwner, readTenant } from "../../../functions/tenants/directory.ts";
import { learnNaming, nameOf } from "../../../functions/tenants/room-naming.ts";
import type { Project } from "../../../functions/tenants/tenant.ts";
import { ROOM, ROOM_PROOF } from "../../../shared/callbacks.ts";
import { WIRE_NAME_LENGTH } from "../../../shared/conference.ts";
import { signForm } from "../../../shared/form-signature.ts";
import { askApi, askDoctor, carrier_host, putProject, said } from "../api/ask.ts";
import { atEdge, signedCall } from "../edge.ts";
import { type Fixture, openFixture, warmUp } from "../fixture.ts";
import { requestOf } from "../session/ledger.ts";

beforeAll(warmUp);

const rules = [{ id: "any", match: {}, place: { room: "board" } }];

/** The conference that the call's document joins. */
async function roomOf(fixture: Fixture, bindings: Record<string, unknown> = {}): Promise<string | undefined> {
  const answer = await atEdge(await signedCall(fixture, "cxml"), bindings);
  return />([^<>]+)<\/Conference>/.exec(await answer.text())?.[1];
}

const gone = {
  RELAY_SESSION: {
    idFromName: () => {
      throw new Error("the object is out of reach");
    },
  },
};

function sessionOf({ carrier }: Fixture) {
  return env.RELAY_SESSION.get(env.RELAY_SESSION.idFromName(carrier.project_id));
}

/** Another isolate has the session place a call; the room that it gets. */
async function placed(fixture: Fixture, tenant: string, room: string, naming?: Naming): Promise<string> {
  const { project_id } = fixture.carrier;
  const { node_id: _, ...request } = requestOf(crypto.randomUUID(), {
    deadline_at: Date.now() + 2_000,
    project_id,
    tenant,
    rooms: [room],
    join_via: "document",
    ...(naming === undefined ? {} : { naming }),
  });
  return (await sessionOf(fixture).place(request)).room;
}

/** A signed callback about the conference of that name comes to the tenant's URL: its answer, and whether it was dropped as another's. */
async function told(
  whose: Fixture,
  name: string,
  { proved = false, status = "participant-join" } = {},
): Promise<[status: number, isDropped: boolean]> {
  const owner = await findOwner(env, whose.tenant, () => {});
  if (!owner) throw new Error("there is no such tenant");
  const { conference, recording } = await callbackUrls(env, owner, "https://partyline.test");
  const [proof] = await proofsOf(env, owner, name);
  const url = proved
    ? `${recording}&${new URLSearchParams([
        [ROOM, name],
        [ROOM_PROOF, proof],
      ])}`
    : conference;
  const body = new URLSearchParams({
    FriendlyName: name,
    ConferenceSid: "conf-1",
    CallSid: `call-${name}`,
    StatusCallbackEvent: status,
  }).toString();
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    "x-signalwire-signature": await signForm(whose.carrier.signing_key, url, body),
  };
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const answer = await atEdge(new Request(url, { method: "POST", headers, body }));
  const isDropped = warn.mock.calls.flat().join().includes("callback.dropped");
  warn.mockRestore();
  return [answer.status, isDropped];
}

const acme = { tenant: "acme" };

describe("the name of a room that the session does not give", () => {
  const projectWith = (project_id: string, plain_names_for?: string) =>
    ({ project_id, ...(plain_names_for === undefined ? {} : { plain_names_for }) }) as Project; // What names depend on.

  test("is the one that the session gave last, where plain names are nobody else's", () => {
    learnNaming({ ...acme, project: projectWith("p-1") }, "board");
    expect(nameOf({ ...acme, project: projectWith("p-1") }, "board")).toBe("board");
  });

  test("has its prefix as soon as the record gives plain names to another tenant", () => {
    learnNaming({ ...acme, project: projectWith("p-2", "acme") }, "board");
    expect(nameOf({ ...acme, project: projectWith("p-2", "beta") }, "board")).toBe("acme:board");
  });

  test("is refused where it would be too long with its prefix, and is not another tenant's plain one instead", () => {
    const whose = { ...acme, project: projectWith("p-3") };
    expect(() => nameOf(whose, "x".repeat(WIRE_NAME_LENGTH))).toThrow(
      /characters long with the tenant's prefix/,
    );
  });
});

describe("the names of rooms", () => {
  test("stay plain when the one-tenant start gets its project's record", async () => {
    await using fixture = await openFixture({ rules });
    const { project_id, token, signing_key } = fixture.carrier;
    const record = await env.DIRECTORY.get(`project/${project_id}`);
    await env.DIRECTORY.delete(`project/${project_id}`);
    await env.DIRECTORY.put("ruleset/default", JSON.stringify({ rules }));
    const secrets = {
      SIGNALWIRE_SPACE: `http://${carrier_host}`,
      SIGNALWIRE_PROJECT_ID: project_id,
      SIGNALWIRE_API_TOKEN: token,
      SIGNALWIRE_SIGNING_KEY: signing_key,
    };
    const start: Fixture = { ...fixture, webhook_url: "https://partyline.test/hooks/default/swml" };
    expect(await roomOf(start, secrets)).toBe("board");
    await env.DIRECTORY.put(`project/${project_id}`, record ?? "");
    // An isolate that knows nothing but the record, and this one.
    expect(await placed(fixture, "default", "default:board")).toBe("board");
    const now = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 31_000);
    expect(await roomOf(start, secrets)).toBe("board");
    now.mockRestore();
    const { conferences } = await sessionOf(fixture).archive().conferencesPage("default", { limit: 9 });
    expect(conferences.map(({ name }) => name)).toEqual(["board"]);
    await env.DIRECTORY.delete("ruleset/default");
  });

  test("are as the record has them where the session is out of reach, and as they were last where they are known", async () => {
    await using plain = await openFixture({ rules });
    await putProject(plain, { plain_names_for: plain.tenant });
    expect(await roomOf(plain, gone)).toBe("board");
    await using prefixed = await openFixture({ rules });
    expect(await roomOf(prefixed, gone)).toBe(`${prefixed.tenant}:board`);
    await using changing = await openFixture({ rules });
    await putProject(changing, { plain_names_for: changing.tenant });
    expect(await roomOf(changing)).toBe("board");
    await putProject(changing, {});
    const now = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 31_000);
    expect(await roomOf(changing, gone)).toBe("board");
    now.mockRestore();
  });

  test("are told of by callbacks while calls are in rooms of the older name", async () => {
    await using fixture = await openFixture({ rules });
    await using other = await openFixture({ rules });
    expect(await placed(fixture, fixture.tenant, "board", "plain")).toBe("board");
    expect(await placed(fixture, fixture.tenant, `${fixture.tenant}:board`, "prefixed")).toBe("board");
    await putProject(fixture, { plain_names_for: null });
    expect(await told(fixture, "board")).toEqual([204, false]);
    expect(await told(fixture, `${fixture.tenant}:board`)).toEqual([204, false]);
    expect(await told(other, "board")).toEqual([204, true]);
    expect(await told(fixture, `${other.tenant}:board`)).toEqual([204, true]);
  });

  test("are proved by the URL of a recording's callback, though the session knows of none that was plain", async () => {
    await using fixture = await openFixture({ rules });
    const end = { status: "conference-end" };
    expect(await told(fixture, "board", end)).toEqual([204, true]);
    expect(await told(fixture, "board", { ...end, proved: true })).toEqual([204, false]);
  });

  test("are shown by the API under the name that they have, and by the doctor before they change", async () => {
    await using fixture = await openFixture({ rules });
    await putProject(fixture, { plain_names_for: fixture.tenant });
    expect(await roomOf(fixture)).toBe("board");
    const attention = async () =>
      said(await askDoctor(fixture.tenant, fixture.webhook_url), "project").filter((words) =>
        words.startsWith("!"),
      );
    expect(await attention()).toEqual([]);
    await putProject(fixture, {});
    expect(await attention()).toEqual([
      expect.stringMatching(
        /^! .* have plain names, .* and keep them.* → Write "plain_names_for": "t\S+" into project/,
      ),
    ]);
    await putProject(fixture, { plain_names_for: null });
    expect(await attention()).toEqual([
      expect.stringMatching(
        /^! By plain_names_for .* come to be named t\S+:<room>, and were <room>: .* → .*"plain_names_for": "t/,
      ),
    ]);
    for (const name of ["board", `${fixture.tenant}:board`])
      expect((await askApi(`/tenants/${fixture.tenant}/conferences/${name}`)).status).toBe(200);
  });

  test("a ruleset is compiled anew where its rooms turn out to have plain names", async () => {
    const room = "r".repeat(60);
    await using fixture = await openFixture({
      rules: [{ id: "long", match: {}, place: { room: "{param.room}" } }],
    });
    await putProject(fixture, { plain_names_for: fixture.tenant });
    const before = await readTenant(env, fixture.tenant, null);
    const call = await signedCall(fixture, "cxml", { query: { room } });
    expect(await (await atEdge(call)).text()).toContain(`>${room}</Conference>`);
    await putProject(fixture, {});
    expect((await readTenant(env, fixture.tenant, before))?.plain).toBe(true);
  });
});
