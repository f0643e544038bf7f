import { useState } from 'react'

import { FormError } from '../../account/FormError'
import { answer, api } from '../../api/client'
import { Badge } from '../../ui/Badge'
import { Button } from '../../ui/Button'
import { Row } from '../../ui/Rows'
import { TextArea } from '../../ui/TextArea'
import { Time } from '../../ui/Time'
import { keysQuery, type WriteKey } from '../api'
import { Ask } from '../Ask'
import { Verbs } from '../Buttons'
import { linesOf } from '../lines'
import { t } from '../texts'
import { useSend } from '../useSend'
import { Rotate } from './Rotate'

interface Props {
  project: string
  writeKey: WriteKey
  now: number
  onMade: (key: string) => void
}

/** A write key: until when it is good, from where it may be used, and what can be done to it. */
export function KeyRow({ project, writeKey: key, now, onMade }: Props) {
  const [doing, setDoing] = useState<'origins' | 'rotate'>()
  const over = key.revoked_at !== undefined && Date.parse(key.revoked_at) <= now
  const ending = key.revoked_at !== undefined && !over
  const params = { path: { id: project, key: key.id } }
  const name = `…${key.last4}`
  const stop = () => setDoing(undefined)
  return (
    <Row
      faded={over}
      title={
        <>
          <code className="font-mono">{name}</code>
          {over && <Badge look="bad">{t.keys.over}</Badge>}
          {ending && <Badge look="accent">{t.keys.ending}</Badge>}
        </>
      }
      facts={
        <>
          <span>
            {t.keys.since} <Time at={key.created_at} to="date" />
          </span>
          {key.revoked_at && (
            <span>
              {over ? t.keys.ended : t.keys.ends} <Time at={key.revoked_at} />
            </span>
          )}
          <span>{key.origins.length > 0 ? key.origins.join(', ') : t.keys.anywhere}</span>
        </>
      }
      actions={
        !over && (
          <>
            <Button aria-expanded={doing === 'origins'} onClick={() => setDoing('origins')}>{t.keys.changeOrigins}</Button>
            {!ending && <Button aria-expanded={doing === 'rotate'} onClick={() => setDoing('rotate')}>{t.keys.rotate}</Button>}
            <Ask
              label={t.keys.revoke}
              title={t.keys.revokeTitle(name)}
              text={t.keys.revokeText}
              verb={t.keys.revoke}
              run={() => answer(api.DELETE('/api/v1/projects/{id}/keys/{key}', { params }))}
              keys={[keysQuery(project).queryKey]}
            />
          </>
        )
      }
    >
      {doing === 'origins' && <Origins project={project} writeKey={key} close={stop} />}
      {doing === 'rotate' && <Rotate project={project} writeKey={key} onMade={onMade} close={stop} />}
    </Row>
  )
}

function Origins({ project, writeKey: key, close }: { project: string; writeKey: WriteKey; close: () => void }) {
  const send = useSend({
    fields: ['origins'],
    send: (f) =>
      answer(api.PATCH('/api/v1/projects/{id}/keys/{key}', { params: { path: { id: project, key: key.id } }, body: { origins: linesOf(f.origins) } })),
    keys: [keysQuery(project).queryKey],
    done: close,
  })
  return (
    <form onSubmit={send.submit} noValidate className="mt-3 grid gap-4">
      <TextArea
        label={t.keys.origins}
        name="origins"
        rows={3}
        spellCheck={false}
        autoFocus
        defaultValue={key.origins.join('\n')}
        hint={t.keys.originsHint}
        error={send.faults.origins}
      />
      <FormError error={send.error} />
      <Verbs verb={t.save} pending={send.pending} cancel={close} />
    </form>
  )
}
