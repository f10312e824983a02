import { namesOf } from "../tenants/room-naming.ts";
import type { Tenant } from "../tenants/tenant.ts";

/**
 * A room as a path of the API names it: as the rules spell it, or with the tenant's prefix, whether its conferences carry that or not.
 * URLs drop the segments `.` and `..`, however they are escaped, so rooms of these names have only the second spelling.
 */
export function roomOf(tenant: string, given: string): string {
  const prefix = `${tenant}:`;
  return given.startsWith(prefix) ? given.slice(prefix.length) : given;
}

/** What is found under one of the names that the room may have on the wire; null where nothing is. */
export async function findRoom<Found>(
  { tenant, project }: Pick<Tenant, "tenant" | "project">,
  given: string,
  find: (wire: string) => Promise<Found | null>,
): Promise<Found | null> {
  for (const name of namesOf({ tenant, project }, roomOf(tenant, given))) {
    const found = await find(name);
    if (found !== null) return found;
  }
  return null;
}
