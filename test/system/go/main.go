// Command foreign is a charging station of OCPP 1.6 or 2.0.1 on the module ocpp-go. It speaks the events and the orders
// `energy` and `stop` of python/control.py and python/station.py on its standard streams.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/lorenzodonini/ocpp-go/ocpp"
	"github.com/lorenzodonini/ocpp-go/ocppj"
	"github.com/lorenzodonini/ocpp-go/ws"
)

type fields map[string]interface{}

var output sync.Mutex

// say tells one event as a line of JSON.
func say(event string, more fields) {
	line := fields{"at": time.Now().UnixMilli(), "event": event}
	for name, value := range more {
		line[name] = value
	}
	text, err := json.Marshal(line)
	if err != nil {
		return
	}
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(text))
}

func why(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

type order struct {
	Do    string `json:"do"`
	Start int64  `json:"start"`
	End   int64  `json:"end"`
}

// obey carries out orders until standard input ends.
func obey(s *station) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var o order
		if json.Unmarshal(lines.Bytes(), &o) != nil {
			continue
		}
		switch o.Do {
		case "energy":
			s.vehicle.advance(s.target())
			wh := s.vehicle.energy(time.UnixMilli(o.Start), time.UnixMilli(o.End))
			say("energy", fields{"importWh": wh, "exportWh": 0})
		case "stop":
			s.stop(false)
		}
	}
}

// connection is a client of these profiles that reconnects at once, like the stations that are tested beside this one. It
// keeps messages while the connection is lost, and gives up a lost answer soon enough to ask again.
func connection(identity string, client ws.WsClient, profiles ...*ocpp.Profile) *ocppj.Client {
	timeouts := ws.NewClientTimeoutConfig()
	timeouts.RetryBackOffWaitMinimum = time.Second
	timeouts.RetryBackOffRandomRange = 1
	timeouts.RetryBackOffRepeatTimes = 0
	client.SetTimeoutConfig(timeouts)
	dispatcher := ocppj.NewDefaultClientDispatcher(ocppj.NewFIFOClientQueue(0))
	dispatcher.SetTimeout(3 * time.Second)
	endpoint := ocppj.NewClient(identity, client, dispatcher, nil, profiles...)
	endpoint.SetOnDisconnectedHandler(func(error) { say("offline", fields{}) })
	endpoint.SetOnReconnectedHandler(func() { say("connected", fields{}) })
	return endpoint
}

func main() {
	version := flag.String("version", "ocpp1.6", "ocpp1.6 or ocpp2.0.1")
	url := flag.String("url", "", "endpoint without the identity")
	identity := flag.String("identity", "", "of the station")
	token := flag.String("token", "FOREIGN-1", "idTag or idToken")
	maxW := flag.Float64("max-import-w", 11_000, "what the station gives at most")
	meterS := flag.String("meter-s", "5", "period of meter values until the server sets another")
	flag.Parse()
	build := map[string]func(identity, meterS string, maxW float64, token string) (*station, func(url string) error){
		"ocpp1.6":   station16,
		"ocpp2.0.1": station201,
	}[*version]
	if build == nil {
		fmt.Fprintln(os.Stderr, "unknown version", *version)
		os.Exit(2)
	}
	s, start := build(*identity, *meterS, *maxW, *token)
	if err := start(*url); err != nil {
		say("refused", fields{"why": err.Error()})
		os.Exit(1)
	}
	say("connected", fields{"subprotocol": *version})
	go s.run()
	obey(s)
}
