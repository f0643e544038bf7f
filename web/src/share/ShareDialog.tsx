import { useQuery } from '@tanstack/react-query'
import { useEffect, useId, useMemo, useRef } from 'react'

import { sharesQuery } from '../api/shares'
import type { Project } from '../api/types'
import { makeFormat } from '../format'
import { FormatContext } from '../formatContext'
import { m } from '../messages'
import { Answer } from '../ui/Answer'
import { IconButton } from '../ui/Button'
import { SkeletonRows } from '../ui/Skeleton'
import { NewShare } from './NewShare'
import { ShareItem } from './ShareItem'

/** Makes, lists and ends the shared links of a project, in a panel at the side. */
export function ShareDialog({ project, onClose }: { project: Project; onClose(): void }) {
  const title = useId()
  const dialog = useRef<HTMLDialogElement>(null)
  const shares = useQuery(sharesQuery(project.id))
  const format = useMemo(() => makeFormat(project.timezone), [project.timezone])

  useEffect(() => dialog.current!.showModal(), [])

  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions -- Escape closes it too
    <dialog
      ref={dialog}
      aria-labelledby={title}
      onClose={onClose}
      onClick={(e) => e.target === dialog.current && dialog.current.close()}
      className="drawer m-0 ml-auto h-dvh max-h-none w-full max-w-[34rem] animate-drawer-in bg-surface text-ink shadow-pop"
    >
      <FormatContext value={format}>
        <div className="flex min-h-full flex-col gap-5 p-5">
          <header className="flex items-center justify-between gap-3">
            <h2 id={title} className="truncate text-lg font-semibold tracking-tight">
              {m.share.heading(project.name)}
            </h2>
            <IconButton icon="close" label={m.close} onClick={() => dialog.current!.close()} />
          </header>
          <p className="text-sm text-muted">{m.share.intro}</p>
          <NewShare project={project.id} />
          <section className="border-t border-line pt-4">
            <h3 className="mb-2 text-sm font-medium">{m.share.links}</h3>
            <Answer query={shares} skeleton={<SkeletonRows rows={3} />} empty={{ when: (all) => all.length === 0, text: m.share.empty }}>
              {(all) => (
                <ul className="grid gap-3">
                  {all.map((share) => (
                    <ShareItem key={share.id} project={project.id} share={share} now={shares.dataUpdatedAt} />
                  ))}
                </ul>
              )}
            </Answer>
          </section>
        </div>
      </FormatContext>
    </dialog>
  )
}
