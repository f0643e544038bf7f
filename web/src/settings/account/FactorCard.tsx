import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { FormError } from '../../account/FormError'
import { answer, api } from '../../api/client'
import { sessionQuery } from '../../api/session'
import { m } from '../../messages'
import { Badge } from '../../ui/Badge'
import { Button } from '../../ui/Button'
import { Card } from '../../ui/Card'
import { Field } from '../../ui/Field'
import { loginsQuery } from '../api'
import { Verbs } from '../Buttons'
import { t } from '../texts'
import { useSend } from '../useSend'
import { FactorSetup } from './FactorSetup'
import { RecoveryCodes } from './RecoveryCodes'

type Doing = 'setup' | 'codes' | 'remove'

/** The second factor: to set it up, to get new recovery codes, to take it off. */
export function FactorCard({ on }: { on: boolean }) {
  const queries = useQueryClient()
  const [doing, setDoing] = useState<Doing>()
  const [codes, setCodes] = useState<string[]>()
  const got = (made: string[]) => {
    setCodes(made)
    setDoing(undefined)
    void queries.invalidateQueries({ queryKey: sessionQuery.queryKey })
    void queries.invalidateQueries({ queryKey: loginsQuery.queryKey })
  }
  const stop = () => setDoing(undefined)
  return (
    <Card title={t.factor.title} aside={<Badge look={on ? 'accent' : 'plain'}>{on ? t.factor.on : t.factor.off}</Badge>}>
      <div className="grid gap-4">
        <p className="max-w-2xl text-sm text-muted">{on ? t.factor.onText : t.factor.offText}</p>
        {codes && <RecoveryCodes codes={codes} onClose={() => setCodes(undefined)} />}
        {doing === undefined && !codes && (
          <div className="flex flex-wrap gap-2">
            {on ? (
              <>
                <Button onClick={() => setDoing('codes')}>{t.factor.newCodes}</Button>
                <Button onClick={() => setDoing('remove')}>{t.factor.remove}</Button>
              </>
            ) : (
              <Button onClick={() => setDoing('setup')}>{t.factor.setUp}</Button>
            )}
          </div>
        )}
        {doing === 'setup' && <FactorSetup onCodes={got} cancel={stop} />}
        {doing === 'codes' && <NewCodes onCodes={got} cancel={stop} />}
        {doing === 'remove' && <Remove cancel={stop} />}
      </div>
    </Card>
  )
}

function NewCodes({ onCodes, cancel }: { onCodes: (codes: string[]) => void; cancel: () => void }) {
  const send = useSend({
    fields: ['code'],
    send: ({ code }) => answer(api.POST('/api/v1/account/totp/recovery-codes', { body: { code: code.trim() } })),
    done: (made) => onCodes(made.recovery_codes),
  })
  return (
    <form onSubmit={send.submit} noValidate className="grid max-w-sm gap-4">
      <Field label={m.factor.code} name="code" autoComplete="one-time-code" autoFocus hint={t.factor.newCodesHint} error={send.faults.code} />
      <FormError error={send.error} />
      <Verbs verb={t.factor.newCodes} pending={send.pending} cancel={cancel} />
    </form>
  )
}

function Remove({ cancel }: { cancel: () => void }) {
  const send = useSend({
    fields: ['password', 'code'],
    send: ({ password, code }) =>
      answer(api.POST('/api/v1/account/totp/remove', { body: code.trim() ? { code: code.trim() } : { password } })),
    keys: [sessionQuery.queryKey, loginsQuery.queryKey],
    done: cancel,
  })
  return (
    <form onSubmit={send.submit} noValidate className="grid max-w-sm gap-4">
      <p className="text-sm">{t.factor.removeText}</p>
      <Field label={m.account.password} name="password" type="password" autoComplete="current-password" autoFocus error={send.faults.password} />
      <Field label={t.factor.orCode} name="code" autoComplete="one-time-code" error={send.faults.code} />
      <FormError error={send.error} />
      <Verbs verb={t.factor.remove} pending={send.pending} cancel={cancel} danger />
    </form>
  )
}
