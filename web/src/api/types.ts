// Names for what the API takes and answers. Their shapes are the server's: see openapi.json.

import type { Schemas } from './client'
import type { paths } from './schema'

export type Project = Schemas['ProjectBody']
export type Overview = Schemas['StatsOverview']
export type RangeTrend = Schemas['StatsTrend']
export type Range = RangeTrend['range']
export type Count = Schemas['StatsPoint']

/** An event, from the events list or the live stream; unknown fields are left out. */
export type EventRow = Schemas['InsightEventItem']

export type Condition = Schemas['ConditionBody']
type Query = paths['/api/v1/projects/{id}/query']['post']

/** A question of any kind, and the answer to it. */
export type Question = Query['requestBody']['content']['application/json']
export type Answer = Query['responses'][200]['content']['application/json']

/** The answer to a question of a kind. */
export type AnswerOf<K extends Question['kind']> = Extract<Answer, { kind: K }>

export type Trend = AnswerOf<'trend'>
export type TrendSeries = Schemas['InsightTrendSeries']
export type PageRow = Schemas['InsightPage']
export type CallGroup = Schemas['InsightCallGroup']

type Message = paths['/api/v1/projects/{id}/live']['get']['responses'][200]['content']['text/event-stream'][number]

/** The data of the live stream's messages, by their event. */
export type Live = { [M in Message as M['event']]: M['data'] }
