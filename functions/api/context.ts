import type { Context, Hono } from "hono";
import type { AuditEntry } from "../session/contract/api-access.ts";
import type { Caller } from "./caller.ts";

/** What a handler tells the audit beside what the request says: of whom it was, and how it was done. */
export interface Noted extends Partial<Pick<AuditEntry, "sent_by" | "verified_by">> {
  target?: Record<string, string>;
}

export type ApiEnv = { Bindings: Env; Variables: { caller: Caller; noted: Noted } };
export type Api = Hono<ApiEnv>;
export type ApiContext = Context<ApiEnv>;
