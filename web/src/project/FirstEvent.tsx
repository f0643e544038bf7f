import { base } from '../api/client'
import { m } from '../messages'
import { Command } from '../ui/Command'
import { LiveDot } from './LiveDot'

/** Shown until the project has an event. */
export function FirstEvent() {
  return (
    <section className="mx-auto grid max-w-2xl justify-items-center gap-4 py-10 text-center sm:py-20">
      <p role="status" className="flex items-center gap-2.5 rounded-full bg-soft px-3.5 py-1 text-sm font-medium text-accent">
        <LiveDot moving />
        {m.project.firstListening}
      </p>
      <h2 className="text-2xl font-semibold tracking-tight">{m.project.firstTitle}</h2>
      <p className="max-w-md text-balance text-muted">{m.project.firstText}</p>
      <Command
        lines={[
          `curl ${location.origin}${base}/v1/events`,
          `-H 'Authorization: Bearer WRITE_KEY'`,
          `-H 'Content-Type: application/json'`,
          `-d '{"name":"screen_view","path":"/hello","device_id":"me"}'`,
        ]}
      />
      <p className="text-sm text-muted">{m.project.firstKey}</p>
    </section>
  )
}
