import { FormError } from '../../account/FormError'
import { answer, api } from '../../api/client'
import { Choice } from '../../ui/Choice'
import { keysQuery, type WriteKey } from '../api'
import { Verbs } from '../Buttons'
import { t } from '../texts'
import { useSend } from '../useSend'

const HOUR_S = 3600

/** For how many hours both keys are good. */
const overlaps = [0, 1, 24, 72, 168, 720]

interface Props {
  project: string
  writeKey: WriteKey
  onMade: (key: string) => void
  close: () => void
}

/** Makes a key in the place of another, which stays good for a while. */
export function Rotate({ project, writeKey: key, onMade, close }: Props) {
  const send = useSend({
    fields: ['overlap'],
    send: (f) =>
      answer(
        api.POST('/api/v1/projects/{id}/keys/{key}/rotate', {
          params: { path: { id: project, key: key.id } },
          body: { overlap_seconds: Number(f.overlap) * HOUR_S },
        }),
      ),
    keys: [keysQuery(project).queryKey],
    done: (made) => {
      onMade(made.write_key)
      close()
    },
  })
  return (
    <form onSubmit={send.submit} noValidate className="mt-3 grid max-w-sm gap-4">
      <Choice
        label={t.keys.overlap}
        name="overlap"
        defaultValue="72"
        autoFocus
        options={overlaps.map((hours) => [String(hours), t.keys.overlaps(hours)])}
        hint={t.keys.overlapHint}
        error={send.faults.overlap}
      />
      <FormError error={send.error} />
      <Verbs verb={t.keys.rotate} pending={send.pending} cancel={close} />
    </form>
  )
}
