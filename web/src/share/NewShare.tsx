import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { FormError } from '../account/FormError'
import { useForm } from '../account/useForm'
import { createShare, sharesQuery, type Share } from '../api/shares'
import { m } from '../messages'
import { Button } from '../ui/Button'
import { Field } from '../ui/Field'
import { Segmented } from '../ui/Segmented'
import { ends, endsAt, hostsIn, checkShare } from './form'

const whats = ['overview', 'live'] as const satisfies readonly Share['what'][]

/** The form that makes a shared link. */
export function NewShare({ project }: { project: string }) {
  const queries = useQueryClient()
  const [what, setWhat] = useState<Share['what']>('overview')
  const [end, setEnd] = useState<(typeof ends)[number]>('never')
  const make = useMutation({
    mutationFn: (f: { password: string; origins: string }) =>
      createShare(project, {
        what,
        ...(f.password ? { password: f.password } : {}),
        origins: hostsIn(f.origins),
        ...endsAt(end, Date.now()),
      }),
    onSuccess: () => {
      form.current?.reset()
      return queries.invalidateQueries(sharesQuery(project))
    },
  })
  const { form, faults, submit } = useForm(checkShare, (f) => make.mutate(f))
  return (
    <form ref={form} onSubmit={submit} noValidate className="grid gap-4">
      <Choice label={m.share.what}>
        <Segmented label={m.share.what} options={whats} names={m.share.whats} value={what} onChange={setWhat} />
      </Choice>
      <Choice label={m.share.end}>
        <Segmented label={m.share.end} options={ends} names={m.share.ends} value={end} onChange={setEnd} />
      </Choice>
      <Field label={m.share.password} hint={m.share.passwordHint} name="password" type="password" autoComplete="new-password" error={faults.password} />
      <Field label={m.share.origins} hint={m.share.originsHint} name="origins" placeholder="blog.example" autoCapitalize="none" spellCheck={false} />
      <FormError error={make.error} />
      <Button type="submit" look="solid" disabled={make.isPending}>
        {m.share.make}
      </Button>
    </form>
  )
}

function Choice({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-3 gap-y-1.5">
      <span className="text-sm font-medium" aria-hidden="true">
        {label}
      </span>
      {children}
    </div>
  )
}
