import type { TenantRecord } from "../../shared/records.ts";

/** Where SignalWire reaches us, without a slash at the end: the tenant's, else the Worker's, else where this request came. */
export function publicUrl(env: Env, record: TenantRecord, request_url: string): string {
  return (record.public_url ?? env.PUBLIC_URL ?? new URL(request_url).origin).replace(/\/+$/, "");
}
