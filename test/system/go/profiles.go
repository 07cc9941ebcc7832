package main

import (
	"sync"
	"time"
)

const (
	volts  = 230
	phases = 3
)

// period is a limit from some seconds after the start of its profile on.
type period struct {
	fromS  int
	limitW float64
}

// profile is a charging profile of either version. Without start it begins with the transaction.
type profile struct {
	id        int
	purpose   string
	stack     int
	start     *time.Time
	validTo   *time.Time
	durationS *int
	periods   []period
}

// profiles are those of one outlet: a later one replaces that of its id, and of its purpose and stack level.
type profiles struct {
	mutex sync.Mutex
	all   []profile
}

func (p *profiles) put(n profile) {
	p.remove(func(o profile) bool { return o.id == n.id || (o.purpose == n.purpose && o.stack == n.stack) })
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.all = append(p.all, n)
}

// remove tells how many of them went.
func (p *profiles) remove(matches func(profile) bool) int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	kept := []profile{}
	for _, o := range p.all {
		if !matches(o) {
			kept = append(kept, o)
		}
	}
	gone := len(p.all) - len(kept)
	p.all = kept
	return gone
}

// limit is what holds now for a transaction that has begun then, or maxW.
func (p *profiles) limit(begun time.Time, maxW float64) float64 {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, purpose := range []string{"TxProfile", "TxDefaultProfile"} {
		best := -1
		found := 0.0
		for _, o := range p.all {
			limit, holds := o.limitAt(time.Now(), begun)
			if o.purpose == purpose && holds && o.stack > best {
				best, found = o.stack, limit
			}
		}
		if best >= 0 {
			return found
		}
	}
	return maxW
}

func (p profile) limitAt(now, begun time.Time) (limitW float64, holds bool) {
	start := begun
	if p.start != nil {
		start = *p.start
	}
	passed := now.Sub(start).Seconds()
	if passed < 0 || (p.durationS != nil && passed >= float64(*p.durationS)) || (p.validTo != nil && now.After(*p.validTo)) {
		return 0, false
	}
	for _, part := range p.periods {
		if float64(part.fromS) <= passed {
			limitW, holds = part.limitW, true
		}
	}
	return limitW, holds
}

// fits tells whether it is meant by what is given of purpose and stack level.
func (p profile) fits(purpose string, stack *int) bool {
	return (purpose == "" || purpose == p.purpose) && (stack == nil || *stack == p.stack)
}

// watts turns the limit of a schedule into W over its phases.
func watts(unit string, limit float64, numberPhases *int) float64 {
	if unit == "W" {
		return limit
	}
	if numberPhases != nil {
		return limit * volts * float64(*numberPhases)
	}
	return limit * volts * phases
}
