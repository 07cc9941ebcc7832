package main

import (
	"math"
	"sync"
	"time"
)

const rampWPerS = 20_000

// point is what the vehicle had counted at a moment.
type point struct {
	at time.Time
	wh float64
}

// vehicle only charges. It counts its own energy: power in W, energy in Wh.
type vehicle struct {
	mutex  sync.Mutex
	maxW   float64
	powerW float64
	wh     float64
	at     time.Time
	past   []point
}

func newVehicle(maxW float64) *vehicle {
	now := time.Now()
	return &vehicle{maxW: maxW, at: now, past: []point{{now, 0}}}
}

// advance goes on until now towards the target and tells power and energy.
func (v *vehicle) advance(targetW float64) (powerW, wh float64) {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	now := time.Now()
	seconds := now.Sub(v.at).Seconds()
	if seconds <= 0 {
		return v.powerW, v.wh
	}
	targetW = math.Max(0, math.Min(v.maxW, targetW))
	before := v.powerW
	rampS := math.Min(seconds, math.Abs(targetW-before)/rampWPerS)
	v.powerW = before + math.Copysign(rampS*rampWPerS, targetW-before)
	v.wh += ((before+v.powerW)/2*rampS + v.powerW*(seconds-rampS)) / 3600
	v.at = now
	v.past = append(v.past, point{now, v.wh})
	return v.powerW, v.wh
}

// open opens the contactor.
func (v *vehicle) open() {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	v.powerW = 0
}

// energy tells what was counted between two moments.
func (v *vehicle) energy(from, to time.Time) float64 {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	return v.counted(to) - v.counted(from)
}

func (v *vehicle) counted(at time.Time) float64 {
	before := v.past[0]
	for _, p := range v.past {
		if p.at.After(at) {
			share := math.Max(0, at.Sub(before.at).Seconds()/p.at.Sub(before.at).Seconds())
			return before.wh + share*(p.wh-before.wh)
		}
		before = p
	}
	return before.wh
}
