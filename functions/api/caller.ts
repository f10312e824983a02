import type { Endpoint } from "../../shared/api/endpoint.ts";
import { namesRoom, plainName } from "../../shared/api/rooms.ts";
import type { Grant } from "../session/contract/api-access.ts";
import { roomOf } from "./room-name.ts";

/** Whose request it is: a token's, or somebody's who came by Cloudflare Access. */
export interface TokenCaller extends Grant {
  kind: "token" | "access";
  tenant: string;
  /** The token's id. */
  token: string;
}

/** `admin` brought the Worker's `ADMIN_TOKEN`, and may do everything. */
export type Caller = { kind: "admin" } | TokenCaller;

/** What forbids the caller this path; null: nothing. */
export function denial(
  caller: Caller,
  { scope, rooms }: Endpoint,
  params: Record<string, string>,
): string | null {
  if (caller.kind === "admin") return null;
  if (scope === "admin") return "Only the Worker's ADMIN_TOKEN may do this.";
  if (params["tenant"] !== caller.tenant) return "This token is another tenant's.";
  if (!caller.scopes.includes(scope)) return `This token lacks the scope ${scope}.`;
  if (caller.rooms === null || rooms === "listed") return null;
  if (rooms === "none") return "This token is for some rooms only, and this is about the whole tenant.";
  const name = roomOf(caller.tenant, params["name"] ?? "").trim();
  return namesRoom(caller.rooms, name)
    ? null
    : `This token is not for the room ${JSON.stringify(name.slice(0, 64))}.`;
}

/** Whether the caller may see what is in this room. @param room its wire name; null: in none. */
export function sees(caller: Caller, room: string | null): boolean {
  if (caller.kind === "admin" || caller.rooms === null) return true;
  return room !== null && namesRoom(caller.rooms, plainName(caller.tenant, room));
}

/** Who it is, as the audit has it. */
export function nameOf(caller: Caller): { token: string; name: string } {
  return caller.kind === "admin"
    ? { token: "admin", name: "ADMIN_TOKEN" }
    : { token: caller.token, name: caller.name };
}
