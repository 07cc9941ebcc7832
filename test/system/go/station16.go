package main

import (
	"fmt"
	"math"
	"strings"
	"time"

	ocpp16 "github.com/lorenzodonini/ocpp-go/ocpp1.6"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/core"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/remotetrigger"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/smartcharging"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/types"
	"github.com/lorenzodonini/ocpp-go/ws"
)

const (
	interval16   = "MeterValueSampleInterval"
	measurands16 = "MeterValuesSampledData"
)

// dialect16 speaks OCPP 1.6 for a station with one connector.
type dialect16 struct {
	point       ocpp16.ChargePoint
	station     *station
	transaction int
}

func station16(identity, meterS string, maxW float64, token string) (*station, func(string) error) {
	s := newStation(maxW, token, map[string]string{
		interval16:                 meterS,
		measurands16:               "Power.Active.Import,Energy.Active.Import.Register",
		"SupportedFeatureProfiles": "Core,SmartCharging,RemoteTrigger",
		"ChargingScheduleAllowedChargingRateUnit": "Current,Power",
		"ChargeProfileMaxStackLevel":              "8",
	})
	client := ws.NewClient()
	endpoint := connection(identity, client, core.Profile, smartcharging.Profile, remotetrigger.Profile)
	d := &dialect16{point: ocpp16.NewChargePoint(identity, endpoint, client), station: s}
	d.point.SetCoreHandler(d)
	d.point.SetSmartChargingHandler(d)
	d.point.SetRemoteTriggerHandler(d)
	s.dialect = d
	return s, d.point.Start
}

func (d *dialect16) interval() string { return interval16 }

func (d *dialect16) boot() (string, error) {
	answer, err := d.point.BootNotification("Foreign Go 16", "Go")
	if err != nil {
		return "", err
	}
	return string(answer.Status), nil
}

func (d *dialect16) status(name string) error {
	_, err := d.point.StatusNotification(1, core.NoError, core.ChargePointStatus(name))
	return err
}

func (d *dialect16) authorize(token string) (string, error) {
	answer, err := d.point.Authorize(token)
	if err != nil {
		return "", err
	}
	return string(answer.IdTagInfo.Status), nil
}

func (d *dialect16) begin(at time.Time, meterWh float64) (string, error) {
	answer, err := d.point.StartTransaction(1, d.station.token, int(math.Round(meterWh)), types.NewDateTime(at))
	if err != nil {
		return "", err
	}
	d.transaction = answer.TransactionId
	return string(answer.IdTagInfo.Status), nil
}

func (d *dialect16) reading(at time.Time, powerW, meterWh float64, triggered bool) error {
	context := types.ReadingContextSamplePeriodic
	if triggered {
		context = types.ReadingContextTrigger
	}
	known := map[string]types.SampledValue{
		"Power.Active.Import":           {Value: fmt.Sprintf("%.1f", powerW), Unit: types.UnitOfMeasureW},
		"Energy.Active.Import.Register": {Value: fmt.Sprintf("%.1f", meterWh), Unit: types.UnitOfMeasureWh},
		"Voltage":                       {Value: fmt.Sprint(volts), Unit: types.UnitOfMeasureV},
	}
	samples := []types.SampledValue{}
	for _, name := range strings.Split(d.station.setting(measurands16), ",") {
		if sample, ok := known[name]; ok {
			sample.Measurand, sample.Context = types.Measurand(name), context
			samples = append(samples, sample)
		}
	}
	values := []types.MeterValue{{Timestamp: types.NewDateTime(at), SampledValue: samples}}
	_, err := d.point.MeterValues(1, values, func(request *core.MeterValuesRequest) {
		request.TransactionId = &d.transaction
	})
	return err
}

func (d *dialect16) end(at time.Time, meterWh float64, remote bool) error {
	reason := core.ReasonLocal
	if remote {
		reason = core.ReasonRemote
	}
	wh := int(math.Round(meterWh))
	_, err := d.point.StopTransaction(wh, types.NewDateTime(at), d.transaction, func(request *core.StopTransactionRequest) {
		request.Reason = reason
	})
	return err
}

// What it is told.

func (d *dialect16) OnSetChargingProfile(r *smartcharging.SetChargingProfileRequest) (*smartcharging.SetChargingProfileConfirmation, error) {
	p := r.ChargingProfile
	ofOther := p.TransactionId != 0 && p.TransactionId != d.transaction
	if p.ChargingProfilePurpose == types.ChargingProfilePurposeTxProfile && (!d.station.isCharging() || ofOther) {
		return smartcharging.NewSetChargingProfileConfirmation(smartcharging.ChargingProfileStatusRejected), nil
	}
	schedule := p.ChargingSchedule
	taken := profile{id: p.ChargingProfileId, purpose: string(p.ChargingProfilePurpose), stack: p.StackLevel, durationS: schedule.Duration}
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
	return smartcharging.NewSetChargingProfileConfirmation(smartcharging.ChargingProfileStatusAccepted), nil
}

func (d *dialect16) OnClearChargingProfile(r *smartcharging.ClearChargingProfileRequest) (*smartcharging.ClearChargingProfileConfirmation, error) {
	count := d.station.profiles.remove(func(p profile) bool {
		if r.Id != nil {
			return p.id == *r.Id
		}
		return p.fits(string(r.ChargingProfilePurpose), r.StackLevel)
	})
	if count == 0 {
		return smartcharging.NewClearChargingProfileConfirmation(smartcharging.ClearChargingProfileStatusUnknown), nil
	}
	return smartcharging.NewClearChargingProfileConfirmation(smartcharging.ClearChargingProfileStatusAccepted), nil
}

func (d *dialect16) OnGetCompositeSchedule(*smartcharging.GetCompositeScheduleRequest) (*smartcharging.GetCompositeScheduleConfirmation, error) {
	return smartcharging.NewGetCompositeScheduleConfirmation(smartcharging.GetCompositeScheduleStatusRejected), nil
}

func (d *dialect16) OnGetConfiguration(r *core.GetConfigurationRequest) (*core.GetConfigurationConfirmation, error) {
	answer := core.NewGetConfigurationConfirmation(nil)
	for _, key := range r.Key {
		if value := d.station.setting(key); value != "" {
			answer.ConfigurationKey = append(answer.ConfigurationKey, core.ConfigurationKey{Key: key, Value: &value})
		} else {
			answer.UnknownKey = append(answer.UnknownKey, key)
		}
	}
	return answer, nil
}

func (d *dialect16) OnChangeConfiguration(r *core.ChangeConfigurationRequest) (*core.ChangeConfigurationConfirmation, error) {
	if !d.station.set(r.Key, r.Value) {
		return core.NewChangeConfigurationConfirmation(core.ConfigurationStatusNotSupported), nil
	}
	return core.NewChangeConfigurationConfirmation(core.ConfigurationStatusAccepted), nil
}

func (d *dialect16) OnTriggerMessage(r *remotetrigger.TriggerMessageRequest) (*remotetrigger.TriggerMessageConfirmation, error) {
	if string(r.RequestedMessage) != core.MeterValuesFeatureName {
		return remotetrigger.NewTriggerMessageConfirmation(remotetrigger.TriggerMessageStatusNotImplemented), nil
	}
	d.station.read(true)
	return remotetrigger.NewTriggerMessageConfirmation(remotetrigger.TriggerMessageStatusAccepted), nil
}

func (d *dialect16) OnRemoteStopTransaction(r *core.RemoteStopTransactionRequest) (*core.RemoteStopTransactionConfirmation, error) {
	if r.TransactionId != d.transaction || !d.station.isCharging() {
		return core.NewRemoteStopTransactionConfirmation(types.RemoteStartStopStatusRejected), nil
	}
	go d.station.stop(true)
	return core.NewRemoteStopTransactionConfirmation(types.RemoteStartStopStatusAccepted), nil
}

// What it does not do: the interface of the module asks for an answer to each of these.

func (d *dialect16) OnChangeAvailability(*core.ChangeAvailabilityRequest) (*core.ChangeAvailabilityConfirmation, error) {
	return core.NewChangeAvailabilityConfirmation(core.AvailabilityStatusRejected), nil
}

func (d *dialect16) OnClearCache(*core.ClearCacheRequest) (*core.ClearCacheConfirmation, error) {
	return core.NewClearCacheConfirmation(core.ClearCacheStatusRejected), nil
}

func (d *dialect16) OnDataTransfer(*core.DataTransferRequest) (*core.DataTransferConfirmation, error) {
	return core.NewDataTransferConfirmation(core.DataTransferStatusUnknownVendorId), nil
}

func (d *dialect16) OnRemoteStartTransaction(*core.RemoteStartTransactionRequest) (*core.RemoteStartTransactionConfirmation, error) {
	return core.NewRemoteStartTransactionConfirmation(types.RemoteStartStopStatusRejected), nil
}

func (d *dialect16) OnReset(*core.ResetRequest) (*core.ResetConfirmation, error) {
	return core.NewResetConfirmation(core.ResetStatusRejected), nil
}

func (d *dialect16) OnUnlockConnector(*core.UnlockConnectorRequest) (*core.UnlockConnectorConfirmation, error) {
	return core.NewUnlockConnectorConfirmation(core.UnlockStatusNotSupported), nil
}
