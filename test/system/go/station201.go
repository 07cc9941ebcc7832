package main

import (
	"strings"
	"time"

	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/authorization"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/availability"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/meter"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/provisioning"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/remotecontrol"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/smartcharging"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/transactions"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/types"
	"github.com/lorenzodonini/ocpp-go/ws"
)

const (
	interval201   = "SampledDataCtrlr.TxUpdatedInterval"
	measurands201 = "SampledDataCtrlr.TxUpdatedMeasurands"
	transactionID = "foreign-go-1"
)

// dialect201 speaks OCPP 2.0.1 for a station with one EVSE.
type dialect201 struct {
	point   ocpp2.ChargingStation
	station *station
	seqNo   int
}

func station201(identity, meterS string, maxW float64, token string) (*station, func(string) error) {
	s := newStation(maxW, token, map[string]string{
		interval201:                   meterS,
		measurands201:                 "Power.Active.Import,Energy.Active.Import.Register",
		"SmartChargingCtrlr.Enabled":  "true",
		"SmartChargingCtrlr.RateUnit": "A,W",
	})
	client := ws.NewClient()
	endpoint := connection(identity, client, authorization.Profile, availability.Profile, meter.Profile,
		provisioning.Profile, remotecontrol.Profile, smartcharging.Profile, transactions.Profile)
	d := &dialect201{point: ocpp2.NewChargingStation(identity, endpoint, client), station: s}
	d.point.SetProvisioningHandler(d)
	d.point.SetSmartChargingHandler(d)
	d.point.SetRemoteControlHandler(d)
	s.dialect = d
	return s, d.point.Start
}

func (d *dialect201) interval() string { return interval201 }

func (d *dialect201) boot() (string, error) {
	answer, err := d.point.BootNotification(provisioning.BootReasonPowerUp, "Foreign Go 201", "Go")
	if err != nil {
		return "", err
	}
	return string(answer.Status), nil
}

func (d *dialect201) status(name string) error {
	status := availability.ConnectorStatusOccupied
	if name == "Available" {
		status = availability.ConnectorStatusAvailable
	}
	_, err := d.point.StatusNotification(types.NewDateTime(time.Now()), status, 1, 1)
	return err
}

func (d *dialect201) authorize(token string) (string, error) {
	answer, err := d.point.Authorize(token, types.IdTokenTypeISO14443)
	if err != nil {
		return "", err
	}
	return string(answer.IdTokenInfo.Status), nil
}

func (d *dialect201) begin(at time.Time, meterWh float64) (string, error) {
	answer, err := d.event(transactions.TransactionEventStarted, at, transactions.TriggerReasonAuthorized, transactions.ChargingStateCharging,
		func(request *transactions.TransactionEventRequest) {
			request.IDToken = &types.IdToken{IdToken: d.station.token, Type: types.IdTokenTypeISO14443}
			request.MeterValue = d.samples(at, 0, meterWh, types.ReadingContextTransactionBegin)
		})
	if err != nil || answer.IDTokenInfo == nil {
		return "Accepted", err
	}
	return string(answer.IDTokenInfo.Status), nil
}

func (d *dialect201) reading(at time.Time, powerW, meterWh float64, triggered bool) error {
	trigger, context := transactions.TriggerReasonMeterValuePeriodic, types.ReadingContextSamplePeriodic
	if triggered {
		trigger, context = transactions.TriggerReasonTrigger, types.ReadingContextTrigger
	}
	_, err := d.event(transactions.TransactionEventUpdated, at, trigger, transactions.ChargingStateCharging,
		func(request *transactions.TransactionEventRequest) {
			request.MeterValue = d.samples(at, powerW, meterWh, context)
		})
	return err
}

func (d *dialect201) end(at time.Time, meterWh float64, remote bool) error {
	trigger, reason := transactions.TriggerReasonStopAuthorized, transactions.ReasonLocal
	if remote {
		trigger, reason = transactions.TriggerReasonRemoteStop, transactions.ReasonRemote
	}
	_, err := d.event(transactions.TransactionEventEnded, at, trigger, transactions.ChargingStateEVConnected,
		func(request *transactions.TransactionEventRequest) {
			request.TransactionInfo.StoppedReason = reason
			request.MeterValue = d.samples(at, 0, meterWh, types.ReadingContextTransactionEnd)
		})
	return err
}

func (d *dialect201) event(kind transactions.TransactionEvent, at time.Time, trigger transactions.TriggerReason, state transactions.ChargingState,
	more func(*transactions.TransactionEventRequest)) (*transactions.TransactionEventResponse, error) {
	info := transactions.Transaction{TransactionID: transactionID, ChargingState: state}
	connector := 1
	answer, err := d.point.TransactionEvent(kind, types.NewDateTime(at), trigger, d.seqNo, info, func(request *transactions.TransactionEventRequest) {
		request.Evse = &types.EVSE{ID: 1, ConnectorID: &connector}
		more(request)
	})
	// What was not answered is said again under its number.
	if err == nil {
		d.seqNo++
	}
	return answer, err
}

func (d *dialect201) samples(at time.Time, powerW, meterWh float64, context types.ReadingContext) []types.MeterValue {
	known := map[string]types.SampledValue{
		"Power.Active.Import":           {Value: powerW, UnitOfMeasure: &types.UnitOfMeasure{Unit: "W"}},
		"Energy.Active.Import.Register": {Value: meterWh, UnitOfMeasure: &types.UnitOfMeasure{Unit: "Wh"}},
		"Voltage":                       {Value: volts, UnitOfMeasure: &types.UnitOfMeasure{Unit: "V"}},
	}
	samples := []types.SampledValue{}
	for _, name := range strings.Split(d.station.setting(measurands201), ",") {
		if sample, ok := known[name]; ok {
			sample.Measurand, sample.Context = types.Measurand(name), context
			samples = append(samples, sample)
		}
	}
	return []types.MeterValue{{Timestamp: *types.NewDateTime(at), SampledValue: samples}}
}

// What it is told.

func (d *dialect201) OnSetChargingProfile(r *smartcharging.SetChargingProfileRequest) (*smartcharging.SetChargingProfileResponse, error) {
	p := r.ChargingProfile
	isMine := d.station.isCharging() && p.TransactionID == transactionID
	if p.ChargingProfilePurpose == types.ChargingProfilePurposeTxProfile && !isMine {
		return smartcharging.NewSetChargingProfileResponse(smartcharging.ChargingProfileStatusRejected), nil
	}
	schedule := p.ChargingSchedule[0]
	taken := profile{id: p.ID, purpose: string(p.ChargingProfilePurpose), stack: p.StackLevel, durationS: schedule.Duration}
	if schedule.StartSchedule != nil && p.ChargingProfileKind != types.ChargingProfileKindRelative {
		taken.start = &schedule.StartSchedule.Time
	}
	if p.ValidTo != nil {
		taken.validTo = &p.ValidTo.Time
	}
	for _, part := range schedule.ChargingSchedulePeriod {
		limitW := watts(string(schedule.ChargingRateUnit), part.Limit, part.NumberPhases)
		taken.periods = append(taken.periods, period{part.StartPeriod, limitW})
	}
	d.station.take(taken)
	return smartcharging.NewSetChargingProfileResponse(smartcharging.ChargingProfileStatusAccepted), nil
}

func (d *dialect201) OnClearChargingProfile(r *smartcharging.ClearChargingProfileRequest) (*smartcharging.ClearChargingProfileResponse, error) {
	count := d.station.profiles.remove(func(p profile) bool {
		if r.ChargingProfileID != nil {
			return p.id == *r.ChargingProfileID
		}
		c := r.ChargingProfileCriteria
		return c == nil || p.fits(string(c.ChargingProfilePurpose), c.StackLevel)
	})
	if count == 0 {
		return smartcharging.NewClearChargingProfileResponse(smartcharging.ClearChargingProfileStatusUnknown), nil
	}
	return smartcharging.NewClearChargingProfileResponse(smartcharging.ClearChargingProfileStatusAccepted), nil
}

func (d *dialect201) OnGetVariables(r *provisioning.GetVariablesRequest) (*provisioning.GetVariablesResponse, error) {
	results := []provisioning.GetVariableResult{}
	for _, asked := range r.GetVariableData {
		result := provisioning.GetVariableResult{Component: asked.Component, Variable: asked.Variable}
		result.AttributeStatus = provisioning.GetVariableStatusUnknownVariable
		if value := d.station.setting(nameOf(asked.Component, asked.Variable)); value != "" {
			result.AttributeStatus, result.AttributeValue = provisioning.GetVariableStatusAccepted, value
		}
		results = append(results, result)
	}
	return provisioning.NewGetVariablesResponse(results), nil
}

func (d *dialect201) OnSetVariables(r *provisioning.SetVariablesRequest) (*provisioning.SetVariablesResponse, error) {
	results := []provisioning.SetVariableResult{}
	for _, asked := range r.SetVariableData {
		result := provisioning.SetVariableResult{Component: asked.Component, Variable: asked.Variable}
		result.AttributeStatus = provisioning.SetVariableStatusUnknownVariable
		if d.station.set(nameOf(asked.Component, asked.Variable), asked.AttributeValue) {
			result.AttributeStatus = provisioning.SetVariableStatusAccepted
		}
		results = append(results, result)
	}
	return provisioning.NewSetVariablesResponse(results), nil
}

func (d *dialect201) OnTriggerMessage(r *remotecontrol.TriggerMessageRequest) (*remotecontrol.TriggerMessageResponse, error) {
	switch r.RequestedMessage {
	case remotecontrol.MessageTriggerMeterValues, remotecontrol.MessageTriggerTransactionEvent:
		d.station.read(true)
		return remotecontrol.NewTriggerMessageResponse(remotecontrol.TriggerMessageStatusAccepted), nil
	default:
		return remotecontrol.NewTriggerMessageResponse(remotecontrol.TriggerMessageStatusNotImplemented), nil
	}
}

func (d *dialect201) OnRequestStopTransaction(r *remotecontrol.RequestStopTransactionRequest) (*remotecontrol.RequestStopTransactionResponse, error) {
	if r.TransactionID != transactionID || !d.station.isCharging() {
		return remotecontrol.NewRequestStopTransactionResponse(remotecontrol.RequestStartStopStatusRejected), nil
	}
	go d.station.stop(true)
	return remotecontrol.NewRequestStopTransactionResponse(remotecontrol.RequestStartStopStatusAccepted), nil
}

// What it does not do: the interfaces of the module ask for an answer to each of these.

func (d *dialect201) OnGetChargingProfiles(*smartcharging.GetChargingProfilesRequest) (*smartcharging.GetChargingProfilesResponse, error) {
	return smartcharging.NewGetChargingProfilesResponse(smartcharging.GetChargingProfileStatusNoProfiles), nil
}

func (d *dialect201) OnGetCompositeSchedule(*smartcharging.GetCompositeScheduleRequest) (*smartcharging.GetCompositeScheduleResponse, error) {
	return smartcharging.NewGetCompositeScheduleResponse(smartcharging.GetCompositeScheduleStatusRejected, 1), nil
}

func (d *dialect201) OnGetBaseReport(*provisioning.GetBaseReportRequest) (*provisioning.GetBaseReportResponse, error) {
	return provisioning.NewGetBaseReportResponse(types.GenericDeviceModelStatusNotSupported), nil
}

func (d *dialect201) OnGetReport(*provisioning.GetReportRequest) (*provisioning.GetReportResponse, error) {
	return provisioning.NewGetReportResponse(types.GenericDeviceModelStatusNotSupported), nil
}

func (d *dialect201) OnReset(*provisioning.ResetRequest) (*provisioning.ResetResponse, error) {
	return provisioning.NewResetResponse(provisioning.ResetStatusRejected), nil
}

func (d *dialect201) OnSetNetworkProfile(*provisioning.SetNetworkProfileRequest) (*provisioning.SetNetworkProfileResponse, error) {
	return provisioning.NewSetNetworkProfileResponse(provisioning.SetNetworkProfileStatusRejected), nil
}

func (d *dialect201) OnRequestStartTransaction(*remotecontrol.RequestStartTransactionRequest) (*remotecontrol.RequestStartTransactionResponse, error) {
	return remotecontrol.NewRequestStartTransactionResponse(remotecontrol.RequestStartStopStatusRejected), nil
}

func (d *dialect201) OnUnlockConnector(*remotecontrol.UnlockConnectorRequest) (*remotecontrol.UnlockConnectorResponse, error) {
	return remotecontrol.NewUnlockConnectorResponse(remotecontrol.UnlockStatusUnlockFailed), nil
}

func nameOf(component types.Component, variable types.Variable) string {
	name := component.Name + "." + variable.Name
	if variable.Instance != "" {
		name += "[" + variable.Instance + "]"
	}
	return name
}
