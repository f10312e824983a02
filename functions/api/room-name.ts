import { wireName } from "../../shared/conference.ts";
import type { Tenant } from "../directory.ts";

/**
 * A room as a path of the API names it: as the rules spell it, or with the tenant's prefix, whether its conferences carry that or not.
 * URLs drop the segments `.` and `..`, however they are escaped, so rooms of these names have only the second spelling.
 */
export function roomOf(tenant: string, given: string): string {
  const prefix = `${tenant}:`;
  return given.startsWith(prefix) ? given.slice(prefix.length) : given;
}

/** The room's name on the wire; null where no conference can be called so. */
export function wireNameOf(
  { tenant, project }: Pick<Tenant, "tenant" | "project">,
  given: string,
): string | null {
  const wire = wireName(tenant, roomOf(tenant, given), { plain: project.plain_names_for === tenant });
  return typeof wire === "string" ? wire : null;
}
