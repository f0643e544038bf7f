import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { FormError } from '../account/FormError'
import { endShare, sharesQuery, type Share } from '../api/shares'
import { useFormat } from '../formatContext'
import { m } from '../messages'
import { Button } from '../ui/Button'
import { CopyButton } from '../ui/CopyButton'
import { embedding } from './form'

/** One shared link: what it shows and takes, to be copied and ended. */
export function ShareItem({ project, share, now }: { project: string; share: Share; now: number }) {
  const format = useFormat()
  const queries = useQueryClient()
  const [asked, setAsked] = useState(false)
  const end = useMutation({
    mutationFn: () => endShare(project, share.id),
    onSettled: () => queries.invalidateQueries(sharesQuery(project)),
  })
  const over = share.ends_at !== undefined && Date.parse(share.ends_at) <= now
  const facts = [
    share.created_by ? m.share.madeBy(share.created_by.email, format.day(share.created_at)) : m.share.made(format.day(share.created_at)),
    share.password && m.share.hasPassword,
    share.ends_at && (over ? m.share.ended(format.full(share.ends_at)) : m.share.endsOn(format.full(share.ends_at))),
    share.origins.length > 0 && m.share.embeds(share.origins.join(', ')),
    share.last_used_at ? m.share.used(format.full(share.last_used_at)) : m.share.unused,
  ].filter(Boolean)
  return (
    <li className="grid gap-2 rounded-xl border border-line p-3">
      <p className="font-medium">{m.share.whats[share.what]}</p>
      {share.url ? (
        <input
          readOnly
          aria-label={m.share.link}
          value={share.url}
          onFocus={(e) => e.currentTarget.select()}
          className={`h-9 w-full rounded-lg border border-edge bg-sunken px-2.5 font-mono text-[0.8125rem] ${over ? 'text-muted line-through' : ''}`}
        />
      ) : (
        <p className="text-sm text-warn">{m.share.lost}</p>
      )}
      <p className="text-sm break-words text-muted">{facts.join(' · ')}</p>
      <div className="flex flex-wrap items-center gap-2">
        {share.url && <CopyButton text={share.url} label={m.share.copyLink} />}
        {share.url && share.origins.length > 0 && <CopyButton text={embedding(share.url)} label={m.share.copyEmbed} />}
        <Button
          className={`ml-auto ${asked ? 'text-bad' : ''}`}
          disabled={end.isPending}
          onClick={() => (asked ? end.mutate() : setAsked(true))}
          onBlur={() => setAsked(false)}
        >
          {asked ? m.share.endSure : m.share.endLink}
        </Button>
      </div>
      {end.error && <FormError error={end.error} />}
    </li>
  )
}
