import { useLive } from '../live/Live'
import { m } from '../messages'
import { LiveDot } from './LiveDot'

const colours = {
  connecting: 'text-muted',
  live: 'text-good',
  polling: 'text-warn',
  paused: 'text-muted',
  offline: 'text-bad',
}

/** Says whether the page is live, and pauses it. `failing` says that plain requests fail too. */
export function LiveState({ failing }: { failing: boolean }) {
  const { moment, togglePause } = useLive()
  const down = failing ? 'offline' : 'polling'
  const state = moment.state === 'down' ? down : moment.state
  return (
    <>
      <button
        type="button"
        aria-label={`${m.live.state[state]}. ${m.live.explain[state]}`}
        title={m.live.explain[state]}
        onClick={togglePause}
        className="flex h-8 items-center gap-2 rounded-lg px-2.5 text-sm font-medium hover:bg-sunken"
      >
        <span className={colours[state]}>
          <LiveDot moving={state === 'live'} />
        </span>
        {m.live.state[state]}
      </button>
      <span role="status" className="sr-only">
        {m.live.state[state]}
      </span>
    </>
  )
}
