/** What a join carries on the wire, as long as the one that Partyline sends: its own and its callbacks. */
const join = {
  beep: "onEnter",
  region: "us",
  max_participants: 100,
  start_on_enter: true,
  status_callback: `http://bench.example.com/hooks/acme/conference-status?token=${"x".repeat(43)}`,
  status_callback_event: "start end join leave mute hold modify announcement",
  status_callback_event_type: "relay",
  status_callback_method: "POST",
  recording_status_callback: `http://bench.example.com/hooks/acme/recording-status?token=${"x".repeat(43)}`,
  recording_status_callback_event: "in-progress completed absent",
  recording_status_callback_event_type: "relay",
  recording_status_callback_method: "POST",
} as const;

/** A join of a call that was never seen before, into one of 50 rooms. Whoever measures has rooms of their own. */
export function joining(index: number, whose: "acme" | "floor" | "bare") {
  const call_id = crypto.randomUUID();
  return { call_id, node_id: `${call_id}@us-east`, name: `${whose}:team-${index % 50}`, join };
}

/** Does it so many times, so many of them at once. Rejects with the first that does. */
export async function drive(
  times: number,
  at_once: number,
  one: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < times; index = next++) await one(index);
  };
  await Promise.all(Array.from({ length: at_once }, lane));
}

/** A Worker's answer to `?times=&at_once=`, when all is done. */
export async function driveAsAsked(
  request: Request,
  one: (index: number) => Promise<void>,
): Promise<Response> {
  const { searchParams } = new URL(request.url);
  await drive(Number(searchParams.get("times")), Number(searchParams.get("at_once")), one);
  return new Response();
}
