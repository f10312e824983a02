import type { Call } from "../../shared/call.ts";
import { withoutSecrets } from "../../shared/documents/without-secrets.ts";
import { rejectByDefault } from "../../shared/rules/compile/refusal.ts";
import type { RequestContext, Resolution } from "../call-flow/call-context.ts";
import { fallbackOf } from "../call-flow/fallback.ts";
import { lastStep } from "../call-flow/join-steps.ts";

/** The answer to an unsigned request: nothing secret, and the tenant's fallback if nothing else is left. */
export function openAnswer(request: RequestContext, call: Call, resolution: Resolution): Resolution {
  const next = withoutSecrets(resolution.next, call.via);
  if (next) return { ...resolution, next };
  const fallback = fallbackOf(request, call);
  const openFallback = withoutSecrets(fallback.next, call.via);
  return {
    ...resolution,
    ...(openFallback
      ? { ...fallback, next: openFallback }
      : { outcome: "reject", room: null, next: lastStep({ call }, rejectByDefault()) }),
    reason: "not authentic: its document would show a secret",
  };
}
