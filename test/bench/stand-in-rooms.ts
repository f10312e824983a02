import { randomUUID } from "node:crypto";

/** A call as the stand-in was told of it. */
export interface Member {
  call_id: string;
  node_id: string;
  name: string;
}

export interface EventFrame {
  id: string;
  method: "signalwire.event";
  params: {
    event_type: string;
    timestamp: number;
    params: { call_id: string; status?: string; call_state?: string; [more: string]: unknown };
  };
}

const LISTED = /\/Conferences\.json\?/;
const CALL = /\/Calls\/[^/]+\.json/;
const MEMBERS = /\/Conferences\/([^/]+)\/Participants\.json/;

/** Who is in which conference: nobody leaves before all do. */
export class Rooms {
  #members: Member[] = [];
  readonly #ids = new Map<string, string>();
  readonly #inRoom = new Map<string, Member[]>();
  #told_s = 0;

  /** Takes the call in; the event that tells of it. */
  join(member: Member): EventFrame {
    this.#add(member, randomUUID());
    return this.event(member, "participant-join");
  }

  /** So many calls are in so many rooms, evenly, and nothing is told of it: as `fill` has them in a ledger. */
  settle(calls: number, rooms: number): void {
    for (let call = 1; call <= calls; call += 1) {
      const room = call % rooms;
      this.#add({ call_id: `call-${call}`, node_id: "node-1", name: `acme:room-${room}` }, `conf-${room}`);
    }
  }

  /** So many events, one after another for each who is there. */
  happenings(count: number, statuses: readonly string[]): EventFrame[] {
    return Array.from({ length: count }, (_, index) => {
      const member = this.#members[index % this.#members.length];
      if (!member) throw new Error("nobody is in any room, so nothing can happen to them");
      const turn = Math.floor(index / this.#members.length);
      return this.event(member, statuses[turn % statuses.length] ?? "participant-modify");
    });
  }

  /** So many of those who are there, who came first. */
  members(count: number): Member[] {
    return this.#members.slice(0, count);
  }

  /** These leave, and no conference without anybody is left; the events that tell of it. */
  leave(isLeaving: (member: Member) => boolean): EventFrame[] {
    const leaving = this.#members.filter(isLeaving);
    const events = leaving.map((member) => this.event(member, "participant-leave"));
    this.#members = this.#members.filter((member) => !isLeaving(member));
    for (const [name, members] of this.#inRoom) {
      const staying = members.filter((member) => !isLeaving(member));
      if (staying.length > 0) this.#inRoom.set(name, staying);
      else {
        this.#inRoom.delete(name);
        this.#ids.delete(name);
      }
    }
    return events;
  }

  /** Of the next event: it is what tells an event from a repeat, so no two are the same. */
  timestamp(): number {
    this.#told_s = Math.max(Date.now() / 1000, this.#told_s + 0.00001);
    return this.#told_s;
  }

  event({ call_id, node_id, name }: Member, status: string): EventFrame {
    const inner = {
      conference_id: this.#ids.get(name),
      name,
      status,
      size: this.#inRoom.get(name)?.length ?? 0,
      node_id,
      region: "us",
      call_id,
      muted: status === "participant-mute",
      hold: status === "participant-hold",
      start_on_join: true,
      end_on_leave: false,
    };
    return {
      id: randomUUID(),
      method: "signalwire.event",
      params: { event_type: "calling.conference", timestamp: this.timestamp(), params: inner },
    };
  }

  /** What REST says to a path, as far as a session asks for it; null for any other. */
  rest(path: string): object | null {
    if (LISTED.test(path)) {
      const name = new URL(path, "http://bench.example.com").searchParams.get("FriendlyName") ?? "";
      const sid = this.#ids.get(name);
      return { conferences: sid === undefined ? [] : [{ sid, friendly_name: name }], next_page_uri: null };
    }
    if (CALL.test(path)) return { status: "in-progress" };
    const sid = MEMBERS.exec(path)?.[1];
    if (sid === undefined) return null;
    const [name] = [...this.#ids].find(([, id]) => id === sid) ?? [""];
    const inIt = this.#inRoom.get(name) ?? [];
    return { participants: inIt.map(({ call_id }) => ({ call_sid: call_id })), next_page_uri: null };
  }

  /** @param id of the conference, if it is the first there. */
  #add(member: Member, id: string): void {
    this.#members.push(member);
    const others = this.#inRoom.get(member.name);
    if (others) others.push(member);
    else {
      this.#inRoom.set(member.name, [member]);
      this.#ids.set(member.name, id);
    }
  }
}
