import { splitWireName, wireName } from "../../shared/conference.ts";
import type { Naming } from "../session/contract/placement.ts";
import type { Owner } from "./tenant.ts";

/** Tenants of which an isolate remembers how their rooms were named last. */
const MAX_TENANTS = 5_000;

/** By project and tenant: whether the rooms had plain names that the session placed calls into last. */
const lastPlain = new Map<string, boolean>();

type Named = Pick<Owner, "tenant" | "project">;

/**
 * Whether the tenant's rooms have plain names, as far as this isolate knows: as the session named them last, else by the record. Where
 * the record gives the plain names to another tenant, never: without the session these callers would come into that one's rooms.
 */
export function hasPlainNames({ tenant, project }: Named): boolean {
  const { plain_names_for } = project;
  if (plain_names_for !== undefined && plain_names_for !== tenant) return false;
  return lastPlain.get(keyOf(project.project_id, tenant)) ?? plain_names_for === tenant;
}

/** How the project's record says that the tenant's rooms are named; absent where it leaves that open. */
export function namingSaid({ tenant, project }: Named): { naming?: Naming } {
  if (!project.says_names) return {};
  return { naming: project.plain_names_for === tenant ? "plain" : "prefixed" };
}

/** The session has placed a call of the tenant's into this room. */
export function learnNaming({ tenant, project }: Named, room: string): void {
  const key = keyOf(project.project_id, tenant);
  if (lastPlain.size >= MAX_TENANTS && !lastPlain.has(key)) lastPlain.clear();
  lastPlain.set(key, splitWireName(room).tenant !== tenant);
}

/** The name of a room on the wire, as far as this isolate knows. Throws for a room that cannot have it: another name is another room. */
export function nameOf(whose: Named, room: string): string {
  const name = wireName(whose.tenant, room, { plain: hasPlainNames(whose) });
  if (typeof name !== "string") throw new Error(`the room's name ${name.problem}`);
  return name;
}

/** The names that a room may have on the wire, the likelier first: while calls are in a room it keeps the one it has. */
export function namesOf(whose: Named, room: string): string[] {
  const plain = hasPlainNames(whose);
  return [plain, !plain]
    .map((isPlain) => wireName(whose.tenant, room, { plain: isPlain }))
    .filter((name) => typeof name === "string");
}

function keyOf(project_id: string, tenant: string): string {
  return `${project_id} ${tenant}`;
}
