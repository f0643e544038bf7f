import { useSuspenseQuery } from '@tanstack/react-query'
import { createLink, Outlet, useLocation, useParams, useSearch } from '@tanstack/react-router'
import { useEffect, useMemo, useRef, type ComponentProps, type ReactNode } from 'react'

import { projectsQuery, sessionQuery } from '../api/session'
import { makeFormat } from '../format'
import { FormatContext } from '../formatContext'
import { m } from '../messages'
import { NotFoundPage } from '../shell/ErrorPage'
import { Page } from './Page'
import { t } from './texts'

const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone

/** The settings: what there is at the left, or above on a narrow screen; a page of it beside. */
export function SettingsLayout() {
  const { projectId } = useParams({ strict: false })
  const { project: remembered } = useSearch({ strict: false })
  const { data: session } = useSuspenseQuery(sessionQuery)
  const { data: projects } = useSuspenseQuery(projectsQuery)
  const { pathname } = useLocation()
  const format = useMemo(() => makeFormat(zone), [])
  const nav = useRef<HTMLElement>(null)
  // On a narrow screen the entry may be out of sight.
  useEffect(() => {
    const entry = nav.current?.querySelector<HTMLElement>(`[href$="${pathname}"]`)
    if (entry) nav.current!.scrollLeft = entry.offsetLeft - (nav.current!.clientWidth - entry.offsetWidth) / 2
  }, [pathname])
  const shown = projects.find((p) => p.id === (projectId ?? remembered))
  if (projectId && !shown) return <NotFoundPage text={m.error.noProject} />

  const mine = shown?.role === 'admin' ? shown : undefined
  const search = shown ? { project: shown.id } : {}
  return (
    <div className="mx-auto grid max-w-[72rem] gap-x-10 gap-y-5 px-4 py-5 sm:px-8 sm:py-7 lg:grid-cols-[13rem_minmax(0,1fr)]">
      <nav ref={nav} aria-label={t.nav.label} className="relative flex min-w-0 gap-5 overflow-x-auto pb-1 lg:sticky lg:top-20 lg:grid lg:content-start lg:self-start lg:overflow-visible">
        {shown && (
          <Group title={shown.name}>
            <Item to="/p/$projectId" params={{ projectId: shown.id }} activeOptions={{ exact: true }}>
              {t.nav.numbers}
            </Item>
            {mine && <ProjectItems id={mine.id} />}
          </Group>
        )}
        <Group title={t.nav.you}>
          <Item to="/settings/account" search={search}>{t.account.title}</Item>
          <Item to="/settings/tokens" search={search}>{t.tokens.ownTitle}</Item>
        </Group>
        {session.user?.admin && (
          <Group title={t.nav.server}>
            <Item to="/settings/users" search={search}>{t.users.title}</Item>
            <Item to="/settings/audit" search={search}>{t.audit.title}</Item>
            <Item to="/settings/deletions" search={search}>{t.deletions.title}</Item>
          </Group>
        )}
      </nav>
      <main id="content" tabIndex={-1} className="grid min-w-0 content-start gap-4 outline-none sm:gap-5">
        {projectId && !mine ? <Page title={t.notAdmin.title} intro={t.notAdmin.text} /> : <FormatContext value={format}><Outlet /></FormatContext>}
      </main>
    </div>
  )
}

function ProjectItems({ id }: { id: string }) {
  const params = { projectId: id }
  return (
    <>
      <Item to="/p/$projectId/settings/general" params={params}>{t.general.title}</Item>
      <Item to="/p/$projectId/settings/keys" params={params}>{t.keys.title}</Item>
      <Item to="/p/$projectId/settings/data" params={params}>{t.data.title}</Item>
      <Item to="/p/$projectId/settings/filters" params={params}>{t.filters.title}</Item>
      <Item to="/p/$projectId/settings/limits" params={params}>{t.limits.title}</Item>
      <Item to="/p/$projectId/settings/members" params={params}>{t.members.title}</Item>
      <Item to="/p/$projectId/settings/tokens" params={params}>{t.tokens.title}</Item>
      <Item to="/p/$projectId/settings/audit" params={params}>{t.audit.title}</Item>
    </>
  )
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="min-w-0 shrink-0 lg:shrink">
      <p className="mb-1 max-w-52 truncate px-2.5 text-xs font-semibold text-muted">{title}</p>
      <ul className="flex gap-1 lg:grid">{children}</ul>
    </div>
  )
}

function ItemLink(props: ComponentProps<'a'>) {
  return (
    <li>
      <a
        {...props}
        className="block rounded-lg px-2.5 py-1.5 text-sm whitespace-nowrap text-muted transition hover:bg-sunken hover:text-ink aria-[current=page]:bg-soft aria-[current=page]:font-medium aria-[current=page]:text-accent"
      >
        {props.children}
      </a>
    </li>
  )
}

const Item = createLink(ItemLink)
