"""The weather service that the settings name; its libraries are loaded where one is named, and not before."""

from deploy.settings import Settings
from tasks.metering.weather_service import WeatherService


def service(settings: Settings) -> WeatherService | None:
    """The configured one; None without."""
    if settings.weather == "open-meteo":
        from workers.open_meteo import OpenMeteo

        return OpenMeteo(settings)
    if settings.weather == "openweathermap":
        from workers.openweathermap import OpenWeatherMap

        return OpenWeatherMap(settings)
    return None
