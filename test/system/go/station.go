package main

import (
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"
)

const (
	tick      = 100 * time.Millisecond
	tell      = 500 * time.Millisecond
	maxOutbox = 1000
	// IEC 61851: below 6 A per phase a vehicle does not charge.
	leastW = 6 * volts * phases
)

// dialect is how a version says it. Each call waits for its answer.
type dialect interface {
	boot() (status string, err error)
	status(name string) error
	authorize(token string) (status string, err error)
	begin(at time.Time, meterWh float64) (status string, err error)
	reading(at time.Time, powerW, meterWh float64, triggered bool) error
	end(at time.Time, meterWh float64, remote bool) error
	interval() string
}

// station has one outlet and one vehicle that charges as soon as it may.
type station struct {
	token    string
	dialect  dialect
	vehicle  *vehicle
	profiles profiles
	settings sync.Map
	outbox   chan func() error
	mutex    sync.Mutex
	charging bool
	begun    time.Time
}

func newStation(maxW float64, token string, settings map[string]string) *station {
	s := &station{token: token, vehicle: newVehicle(maxW), outbox: make(chan func() error, maxOutbox)}
	for name, value := range settings {
		s.settings.Store(name, value)
	}
	return s
}

// run boots, authorises, starts a transaction and meters it until the program ends.
func (s *station) run() {
	go s.physics()
	for status := ""; status != "Accepted"; {
		answer, err := s.dialect.boot()
		say("boot", fields{"status": answer, "why": why(err)})
		if status = answer; status != "Accepted" {
			time.Sleep(time.Second)
		}
	}
	s.attempt(func() error { return s.dialect.status("Available") })
	status, err := s.dialect.authorize(s.token)
	say("authorize", fields{"status": status, "why": why(err)})
	if status != "Accepted" {
		return
	}
	now := time.Now()
	status, err = s.dialect.begin(now, 0)
	say("started", fields{"status": status, "why": why(err)})
	if status != "Accepted" {
		return
	}
	s.attempt(func() error { return s.dialect.status("Charging") })
	s.mutex.Lock()
	s.charging, s.begun = true, now
	s.mutex.Unlock()
	go s.meter()
	for job := range s.outbox {
		s.attempt(job)
	}
}

// attempt sends a message, again after a lost connection.
func (s *station) attempt(job func() error) {
	for i := 0; i < 5; i++ {
		err := job()
		if err == nil {
			return
		}
		say("unanswered", fields{"why": err.Error()})
		time.Sleep(500 * time.Millisecond)
	}
}

// target is what the profiles in force allow.
func (s *station) target() float64 {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if !s.charging {
		return 0
	}
	limit := math.Min(s.vehicle.maxW, s.profiles.limit(s.begun, s.vehicle.maxW))
	if limit < leastW {
		return 0
	}
	return limit
}

func (s *station) physics() {
	told := time.Now()
	for {
		time.Sleep(tick)
		target := s.target()
		powerW, wh := s.vehicle.advance(target)
		if time.Since(told) >= tell {
			told = time.Now()
			say("meter", fields{"powerW": powerW, "importWh": wh, "exportWh": 0, "targetW": target})
		}
	}
}

// meter sends values as often as the server has set it.
func (s *station) meter() {
	due := time.Now()
	for s.isCharging() {
		time.Sleep(tick)
		seconds, _ := strconv.Atoi(s.setting(s.dialect.interval()))
		if seconds > 0 && time.Since(due) >= time.Duration(seconds)*time.Second {
			due = time.Now()
			s.read(false)
		}
	}
}

// read takes meter values of now and sends them when their turn comes.
func (s *station) read(triggered bool) {
	powerW, wh := s.vehicle.advance(s.target())
	at := time.Now()
	s.post(func() error { return s.dialect.reading(at, powerW, wh, triggered) })
}

// stop ends the transaction.
func (s *station) stop(remote bool) {
	_, wh := s.vehicle.advance(s.target())
	s.mutex.Lock()
	was := s.charging
	s.charging = false
	s.mutex.Unlock()
	if !was {
		return
	}
	s.vehicle.open()
	at := time.Now()
	s.post(func() error {
		err := s.dialect.end(at, wh, remote)
		say("stopped", fields{"importWh": wh})
		return err
	})
	s.post(func() error { return s.dialect.status("Available") })
}

func (s *station) isCharging() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.charging
}

func (s *station) post(job func() error) {
	select {
	case s.outbox <- job:
	default:
		say("unanswered", fields{"why": "the outbox is full"})
	}
}

func (s *station) setting(name string) string {
	value, known := s.settings.Load(name)
	if !known {
		return ""
	}
	return fmt.Sprint(value)
}

// set changes a setting that is known and may be changed.
func (s *station) set(name, value string) bool {
	if _, known := s.settings.Load(name); !known {
		return false
	}
	s.settings.Store(name, value)
	say("variable", fields{"name": name, "value": value})
	return true
}

func (s *station) take(p profile) {
	s.profiles.put(p)
	say("profile", fields{"status": "Accepted", "purpose": p.purpose, "targetW": s.target()})
}
