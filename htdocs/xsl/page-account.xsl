<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- page-account.xsl: the pages of a subscriber who is signed in. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
                xmlns:m="urn:mod_esign:text" exclude-result-prefixes="m">

  <xsl:template match="page[@name = 'menu']" mode="body">
    <h2><xsl:value-of select="m:text('menu.heading')"/></h2>
    <ul class="choices">
      <xsl:for-each select="pin | word | activity">
        <xsl:call-template name="choice">
          <xsl:with-param name="href" select="@href"/>
          <xsl:with-param name="key" select="concat('menu.', name())"/>
          <xsl:with-param name="class">
            <xsl:text>choice</xsl:text>
            <xsl:if test="self::pin"> main</xsl:if>
          </xsl:with-param>
        </xsl:call-template>
      </xsl:for-each>
      <xsl:for-each select="link">
        <li class="choice"><a href="{@href}"><xsl:value-of select="@label"/></a></li>
      </xsl:for-each>
    </ul>
  </xsl:template>

  <xsl:template match="page[@name = 'pin-ask']" mode="body">
    <xsl:variable name="time">
      <xsl:call-template name="duration">
        <xsl:with-param name="seconds" select="shown/@seconds"/>
      </xsl:call-template>
    </xsl:variable>
    <ul class="points">
      <li><xsl:value-of select="m:text('pin-ask.time', string($time))"/></li>
      <li><xsl:value-of select="m:text('pin-ask.notice')"/></li>
      <li><xsl:value-of select="m:text('pin-ask.privacy')"/></li>
    </ul>
    <xsl:apply-templates select="form"/>
    <p class="aside"><xsl:apply-templates select="." mode="to-menu"/></p>
  </xsl:template>

  <xsl:template match="page[@name = 'pin']" mode="body">
    <xsl:call-template name="countdown">
      <xsl:with-param name="seconds" select="shown/@seconds"/>
      <xsl:with-param name="left" select="'pin.left'"/>
      <xsl:with-param name="ended" select="'pin.ended'"/>
      <xsl:with-param name="then" select="shown/@then"/>
    </xsl:call-template>
    <p class="hint"><xsl:value-of select="m:text('pin.again')"/></p>
    <div class="cards">
      <xsl:apply-templates select="card"/>
      <xsl:if test="not(card)">
        <p><xsl:value-of select="m:text('pin.none', string(@organization))"/></p>
      </xsl:if>
    </div>
    <p class="withheld"><xsl:value-of select="m:text('print.withheld')"/></p>
    <p class="actions">
      <xsl:call-template name="onward">
        <xsl:with-param name="href" select="shown/@then"/>
        <xsl:with-param name="key" select="'pin.leave'"/>
        <xsl:with-param name="class" select="'button primary leave'"/>
      </xsl:call-template>
    </p>
  </xsl:template>

  <xsl:template match="card">
    <section class="card" aria-labelledby="card-{position()}">
      <h2 id="card-{position()}">
        <span class="term"><xsl:value-of select="m:text('card.serial')"/></span>
        <xsl:text> </xsl:text>
        <span class="number"><xsl:value-of select="@serial"/></span>
      </h2>
      <dl class="facts">
        <div>
          <dt><xsl:value-of select="m:text('card.state')"/></dt>
          <dd class="state-{@state}"><xsl:value-of select="m:text(concat('state.', @state))"/></dd>
        </div>
        <div>
          <dt><xsl:value-of select="m:text('card.validity')"/></dt>
          <dd>
            <time datetime="{@not-before}"><xsl:value-of select="@from"/></time>
            <xsl:text> – </xsl:text>
            <time datetime="{@not-after}"><xsl:value-of select="@until"/></time>
          </dd>
        </div>
      </dl>
      <dl class="secret"><xsl:apply-templates select="pin"/></dl>
      <!-- The PUK needs a press of its own: few people need it, and three mistakes with it block
           the card for good. CSS changes the label. -->
      <details>
        <summary>
          <span class="shut"><xsl:value-of select="m:text('card.puk.show')"/></span>
          <span class="open"><xsl:value-of select="m:text('card.puk.hide')"/></span>
        </summary>
        <p class="warning"><xsl:value-of select="m:text('card.warning')"/></p>
        <dl class="secret"><xsl:apply-templates select="puk"/></dl>
      </details>
    </section>
  </xsl:template>

  <!-- CSS separates the groups of digits, so a copy of the text has no spaces. esign.js adds the
       button that copies. -->
  <xsl:template match="card/pin | card/puk">
    <dt><xsl:value-of select="m:text(concat('card.', name()))"/></dt>
    <dd>
      <span class="{name()}" data-copy="{m:text('copy')}" data-done="{m:text('copy.done')}"
            data-failed="{m:text('copy.failed')}">
        <xsl:for-each select="../group[@of = name(current())]">
          <span><xsl:value-of select="."/></span>
        </xsl:for-each>
      </span>
    </dd>
  </xsl:template>

  <xsl:template match="page[@name = 'word']" mode="body">
    <p>
      <xsl:choose>
        <xsl:when test="form/field[@name = 'current']">
          <xsl:value-of select="m:text('word.current.intro')"/>
        </xsl:when>
        <xsl:otherwise><xsl:value-of select="m:text('word.intro')"/></xsl:otherwise>
      </xsl:choose>
    </p>
    <xsl:apply-templates select="form"/>
    <p class="aside"><xsl:apply-templates select="." mode="to-menu"/></p>
  </xsl:template>

  <xsl:template match="page[@name = 'activity']" mode="body">
    <xsl:if test="ended">
      <p class="success" role="status" tabindex="-1">
        <xsl:value-of select="m:text('activity.ended')"/>
      </p>
    </xsl:if>
    <p><xsl:value-of select="m:text('activity.intro', string(@organization))"/></p>
    <form class="aside" method="post" action="{end/@action}">
      <xsl:apply-templates select="end/@mark"/>
      <p><xsl:value-of select="m:text('activity.end.note')"/></p>
      <button type="submit"><xsl:value-of select="m:text('activity.end.button')"/></button>
    </form>
    <xsl:choose>
      <xsl:when test="event">
        <table>
          <thead>
            <tr>
              <th scope="col"><xsl:value-of select="m:text('activity.time')"/></th>
              <th scope="col"><xsl:value-of select="m:text('activity.event')"/></th>
              <th scope="col"><xsl:value-of select="m:text('activity.address')"/></th>
            </tr>
          </thead>
          <tbody>
            <xsl:apply-templates select="event"/>
          </tbody>
        </table>
      </xsl:when>
      <xsl:otherwise><p><xsl:value-of select="m:text('activity.none')"/></p></xsl:otherwise>
    </xsl:choose>
    <p class="actions"><xsl:apply-templates select="." mode="to-menu"/></p>
  </xsl:template>

  <xsl:template match="event">
    <tr>
      <td><time datetime="{@time}"><xsl:value-of select="@written"/></time></td>
      <td>
        <xsl:value-of select="m:text(concat('event.', @name))"/>
        <xsl:if test="@current">
          <xsl:text> </xsl:text>
          <strong class="current"><xsl:value-of select="m:text('activity.current')"/></strong>
        </xsl:if>
      </td>
      <td>
        <xsl:if test="@address != 'local'">
          <xsl:attribute name="class">address</xsl:attribute>
        </xsl:if>
        <xsl:apply-templates select="@address"/>
      </td>
    </tr>
  </xsl:template>

  <!-- An event of the administrator's command has no address. -->
  <xsl:template match="event/@address[. = 'local']">
    <xsl:value-of select="m:text('activity.local')"/>
  </xsl:template>

  <xsl:template match="page" mode="to-menu">
    <xsl:call-template name="onward">
      <xsl:with-param name="href" select="concat(@prefix, '/menu')"/>
      <xsl:with-param name="key" select="'onward.menu'"/>
    </xsl:call-template>
  </xsl:template>

</xsl:stylesheet>
